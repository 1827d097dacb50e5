import { useParams } from '@tanstack/react-router';
import { Conversation } from './talk/Conversation';

/** Talk is the open conversation. */
export function Talk() {
  const { id } = useParams({ from: '/shell/inbox/$id' });
  return <Conversation key={id} id={id} />;
}
