import type { Schemas } from '../../api/client';

/** Recorded is a call of a provider, as somebody writes it down. A file is one that is no text. */
export interface Recorded {
  method: string;
  path: string;
  query: string;
  header: string;
  text: string;
  file?: { name: string; bytes: Uint8Array };
}

/** call is what the API takes a recorded call as. The payload goes as a text, so that not one of its bytes becomes another. */
export function call(r: Recorded): Schemas['SimulatedCall'] {
  const query = grouped([...new URLSearchParams(r.query.trim().replace(/^\?/, ''))]);
  const header = grouped(
    r.header
      .split('\n')
      .map((line): [string, string] => [line.slice(0, Math.max(0, line.indexOf(':'))).trim(), line.slice(line.indexOf(':') + 1).trim()])
      .filter(([name]) => name !== ''),
  );
  return {
    method: r.method,
    ...(r.path.trim() && { path: r.path.trim() }),
    ...(Object.keys(query).length > 0 && { query }),
    ...(Object.keys(header).length > 0 && { header }),
    ...(r.file ? { body: base64(r.file.bytes), encoding: 'base64' as const } : { body: r.text }),
  };
}

function grouped(pairs: [string, string][]): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  for (const [name, value] of pairs) (out[name] ??= []).push(value);
  return out;
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const b of bytes) binary += String.fromCharCode(b);
  return btoa(binary);
}
