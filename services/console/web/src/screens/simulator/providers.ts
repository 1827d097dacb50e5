/** Played is what there is to know here of how a provider behaves. */
export interface Played {
  /** its call that sends a message, as a script names it */
  call: string;
  /** codes with which it refuses, as the provider documents them; any other can be typed */
  codes: [number, string][];
  /** what can be told of a message by hand; none: it tells nothing of its own messages */
  receipts: string[];
  /** the code of what comes after the time in which one may write freely, where there is such a time */
  closed?: number;
}

const types: Record<string, Played> = {
  whatsapp: {
    call: 'messages',
    codes: [
      [131047, 'Window closed'],
      [131053, 'Media'],
      [130429, 'Too many'],
      [131056, 'Too many to one person'],
      [131026, 'Undeliverable'],
      [131016, 'Service unavailable'],
      [190, 'Token expired'],
      [132001, 'No such template'],
    ],
    receipts: ['sent', 'delivered', 'read', 'played', 'failed'],
    closed: 131047,
  },
  facebook: {
    call: 'messages',
    codes: [
      [2018278, 'Window closed'],
      [613, 'Too many'],
      [551, 'Person not available'],
      [2018001, 'No such person'],
      [2018109, 'File too large'],
      [190, 'Token expired'],
      [2, 'Service unavailable'],
    ],
    receipts: ['sent', 'delivered', 'read'],
    closed: 2018278,
  },
  instagram: {
    call: 'messages',
    codes: [
      [2534022, 'Window closed'],
      [613, 'Too many'],
      [551, 'Person not available'],
      [2534014, 'No such person'],
      [36000, 'Picture too large'],
      [2534037, 'Another app has the conversation'],
      [2534041, 'Access to messages is switched off'],
      [190, 'Token expired'],
    ],
    receipts: ['sent', 'read'],
    closed: 2534022,
  },
  rcs: {
    call: 'agentMessages',
    codes: [
      [403, 'May not be written to'],
      [404, 'No RCS on this phone'],
      [400, 'Bad request'],
      [429, 'Too many'],
      [401, 'Token refused'],
      [503, 'Service unavailable'],
    ],
    receipts: ['sent', 'delivered', 'read', 'failed'],
  },
  telegram: {
    call: 'sendMessage',
    codes: [
      [403, 'Bot was blocked'],
      [400, 'Chat not found'],
      [429, 'Too many'],
      [401, 'Unauthorized'],
      [500, 'Internal'],
    ],
    receipts: [],
  },
  line: {
    call: 'push',
    codes: [
      [400, 'Bad request'],
      [401, 'Token refused'],
      [403, 'Not available'],
      [429, 'Too many'],
      [500, 'Internal'],
    ],
    receipts: [],
  },
  wechat: {
    call: 'custom',
    codes: [
      [45015, 'Window closed'],
      [45047, 'Too many to one person'],
      [45011, 'Too many'],
      [43004, 'Does not follow'],
      [40003, 'No such person'],
      [40001, 'Token refused'],
      [-1, 'System busy'],
    ],
    receipts: ['delivered', 'failed'],
    closed: 45015,
  },
  x: {
    call: 'dm',
    codes: [
      [403, 'May not be written to'],
      [404, 'No such person'],
      [429, 'Too many'],
      [401, 'Unauthorized'],
      [402, 'No credits'],
      [503, 'Service unavailable'],
    ],
    receipts: ['read'],
    closed: 403,
  },
  sms: {
    call: 'message',
    codes: [
      [21610, 'Opted out at Twilio'],
      [21211, 'No such number'],
      [30003, 'Phone not reachable'],
      [20429, 'Too many'],
      [20003, 'Credentials refused'],
    ],
    receipts: ['sent', 'delivered', 'failed'],
  },
};

/** playedAs is how accounts of a type are played; of one that is not known here nothing is offered that not all have. */
export const playedAs = (type: string): Played => types[type] ?? { call: '', codes: [], receipts: [] };

const names: Record<string, string> = {
  whatsapp: 'WhatsApp Cloud API',
  '360dialog': '360dialog',
  facebook: 'Messenger Platform',
  instagram: 'Instagram Messaging API',
  'rcs-google': 'RCS for Business',
  'rcs-maap': 'RCS: GSMA MaaP',
  'rcs-cmcc': 'RCS: China Mobile',
  'rcs-ctcu': 'RCS: China Telecom, China Unicom',
  'rcs-huawei': 'RCS: Huawei Message over 5G',
  telegram: 'Telegram Bot API',
  line: 'LINE Messaging API',
  wechat: 'WeChat Official Accounts',
  x: 'X API',
  twilio: 'Twilio Messaging API',
  vonage: 'Vonage SMS API',
  infobip: 'Infobip SMS API',
};

/** nameOf is what a provider's API is called, by the last part of its address here. */
export const nameOf = (base: string): string => names[base] ?? base;
