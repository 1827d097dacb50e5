/** Badge is a count; its words are for screen readers. Nothing is shown of nothing. */
export function Badge({ count, capped, colour, words, square }: { count: number; capped?: boolean; colour?: 'blue' | 'red'; words: string; square?: boolean }) {
  if (count === 0) return null;
  const text = capped || count > 999 ? `${Math.min(count, 999)}+` : String(count);
  return (
    <span className={`badge${colour ? ` ${colour}` : ''}${square ? ' sq' : ''}`} title={words}>
      <span aria-hidden="true">{text}</span>
      <span className="sr">{words}</span>
    </span>
  );
}
