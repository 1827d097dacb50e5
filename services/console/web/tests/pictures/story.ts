import { call, demo, running } from '../screens/world';

interface Act {
  type?: 'whatsapp' | 'telegram' | 'line';
  from: string;
  name: string;
  kind?: string;
  text?: string;
  media?: { mime?: string; name?: string; size?: number };
  location?: { latitude: number; longitude: number; name: string };
}

interface Conversation {
  id: string;
  contact: { id: string; name: string };
  last_message: { text?: string; status: string | null } | null;
  messages_count?: number;
}

const pause = () => new Promise((next) => setTimeout(next, 50));

/** told does something as a customer, and waits until the inbox has it. */
async function told(act: Act): Promise<string> {
  await call('POST', '/simulator/inbound', { type: 'whatsapp', ...act });
  for (;;) {
    const { data } = await call<{ data: Conversation[] }>('GET', '/v1/conversations?view=all&limit=200');
    const found = data.find((c) => c.contact.name === act.name);
    if (found && (!act.text || act.kind || found.last_message?.text === act.text)) return found.id;
    await pause();
  }
}

/** answered sends an answer, and waits until its fate is what it is going to be. */
async function answered(id: string, body: object, fate = 'read'): Promise<void> {
  const sent = await nadia<{ id: string }>('POST', `/v1/conversations/${id}/messages`, body);
  if ('direction' in body) return;
  for (;;) {
    const m = await call<{ status: string | null }>('GET', `/v1/messages/${sent.id}`);
    if (m.status === fate) return;
    await pause();
  }
}

let token = '';

/** nadia calls the API as the person whose screen the pictures show. */
async function nadia<T = unknown>(method: string, at: string, body?: object): Promise<T> {
  const r = await fetch(running.url + at, {
    method,
    headers: { ...(token && { Authorization: `Bearer ${token}` }), 'Content-Type': 'application/json', ...(at.endsWith('/messages') && { 'Idempotency-Key': crypto.randomUUID() }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await r.text();
  if (!r.ok) throw new Error(`${method} ${at}: ${r.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

const act = (id: string, what: string, body?: object) => nadia('POST', `/v1/conversations/${id}/${what}`, body);

/** story fills a fresh process with a morning's work, and returns the conversation that the pictures show. */
export async function story(): Promise<string> {
  token = (await nadia<{ token: string }>('POST', '/v1/auth/login', { email: demo.email, password: demo.password })).token;
  const { data: users } = await call<{ data: { id: string; email: string }[] }>('GET', '/v1/users?limit=200');
  await call('PATCH', `/v1/users/${users.find((u) => u.email === demo.email)?.id ?? ''}`, { name: 'Nadia Putri' });
  await call('POST', '/v1/users', { name: 'Lukas Kern', email: 'lukas@shop.example', password: 'correct-horse-1', role: 'agent' });
  const people: { id: string; name: string }[] = (await call<{ data: { id: string; name: string }[] }>('GET', '/v1/agents?limit=200')).data;
  const agent = (name: string) => people.find((p) => p.name === name)?.id;

  const quillan = await told({ from: '+15550142277', name: 'Quillan Bairstow', text: 'Is the warehouse open on public holidays? I would pick it up myself.' });
  await act(quillan, 'snooze', { until: new Date(Date.now() + 3 * 86_400_000).toISOString() });
  const mai = await told({ type: 'telegram', from: '84901', name: 'Mai Thị Hồng Nhung', text: 'Cho mình hỏi còn size M không ạ?' });
  await act(mai, 'take');
  const oyelaran = await told({ type: 'telegram', from: '23480', name: 'Oyelaran Adébáyọ̀', text: 'It has arrived, thank you!' });
  await answered(oyelaran, { text: 'Thank you! Closing this for now, write any time.' }, 'sent');
  await act(oyelaran, 'close', {});
  await told({ from: '+491701234567', name: 'Dr. Hannelore Weißenberger-Schmidt', text: 'Lieferverzug bei Auftrag 20398: wann dürfen wir mit der Ware rechnen?' });
  await told({ from: '+491701234567', name: 'Dr. Hannelore Weißenberger-Schmidt', text: 'Wir warten seit Montag.' });
  const hannelore = await told({ from: '+491701234567', name: 'Dr. Hannelore Weißenberger-Schmidt', kind: 'document', media: { mime: 'application/pdf', name: 'bestellung-20398.pdf', size: 48_000 } });
  await act(hannelore, 'priority', { priority: 'urgent' });
  await told({ type: 'line', from: 'U' + '4af49806'.repeat(4), name: 'ณัฐวุฒิ ศรีสุวรรณ', text: 'ขอบคุณครับ เดี๋ยวทางเราตรวจสอบให้นะครับ' });
  const chen = await told({ type: 'telegram', from: '8613', name: '陈雨桐', text: '好的，我刚刚把身份证照片发过去了，请查收。' });
  await act(chen, 'assign', { agent_id: agent('Lukas Kern') });
  await call('PUT', '/simulator/script', { type: 'whatsapp', fail: { code: 131026, times: 1 } });
  const lost = await told({ from: '+15550142278', name: '+1 555 014 2278', text: 'Please send me the code again' });
  await answered(lost, { text: 'Your code is on its way.' }, 'failed');
  await call('PUT', '/simulator/script', { type: 'whatsapp' });
  await told({ from: '+966501234567', name: 'عبد الرحمن الزهراني', text: 'نود متابعة طلب تغيير العنوان. هل ما زالت ترغب في ذلك؟' });

  const siti = { from: '+628125550117', name: 'Siti Rahmawati' };
  const id = await told({ ...siti, text: 'Halo kak, paketnya sampai tapi kotaknya sobek 😢' });
  await told({ ...siti, kind: 'image', text: 'Labelnya ini kak. Kalau tidak ada stok, refund saja.', media: { mime: 'image/jpeg', name: 'label.jpg' } });
  await act(id, 'take');
  await act(id, 'tags', { tags: ['damaged', 'vip'] });
  await act(id, 'priority', { priority: 'high' });
  await answered(id, { text: 'Halo Siti, maaf sekali! Boleh minta nomor pesanannya?' });
  await told({ ...siti, text: 'TRB-20417' });
  await answered(id, { direction: 'note', text: 'Second torn box from Cikarang this week: @Lukas please look at the packing there.' });
  await answered(id, { interactive: { kind: 'buttons', body: 'Pesanan *TRB-20417* sudah diganti. Perkiraan tiba: Selasa, 1 Desember.', buttons: [{ id: 'track', title: 'Lacak paket' }, { id: 'human', title: 'Bicara dengan agen' }] } });
  await told({ ...siti, kind: 'location', location: { latitude: -6.2088, longitude: 106.8456, name: 'Toko Melati, Jakarta' } });
  await told({ ...siti, text: 'Boleh kak, saya tunggu fotonya ya 🙏' });
  await call('PATCH', `/v1/contacts/${(await call<Conversation>('GET', `/v1/conversations/${id}`)).contact.id}`, { email: 'siti@rahma.example' });
  return id;
}
