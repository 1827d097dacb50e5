import { i18n } from '../../locales/i18n';

/** kindOf names what a message is, where it has no text to show. */
export function kindOf(type: string): string {
  switch (type) {
    case 'image':
      return i18n._('Picture');
    case 'audio':
      return i18n._('Audio');
    case 'voice':
      return i18n._('Voice message');
    case 'video':
      return i18n._('Video');
    case 'document':
      return i18n._('File');
    case 'story':
      return i18n._('Story');
    case 'story_mention':
      return i18n._('Mentioned you in a story');
    case 'sticker':
      return i18n._('Sticker');
    case 'location':
      return i18n._('Location');
    case 'contact':
      return i18n._('Contact card');
    case 'interactive':
      return i18n._('Choice');
    case 'template':
      return i18n._('Template');
    case 'order':
      return i18n._('Order');
    case 'reaction':
      return i18n._('Reaction');
    case 'system':
      return i18n._('Notice of the channel');
    case 'unsupported':
      return i18n._('A message that the channel does not hand on');
    default:
      return i18n._('Message');
  }
}
