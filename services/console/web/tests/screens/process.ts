import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** Running says where the built binary runs, and how it was started, so that a test can kill it and start it again. */
export interface Running {
  url: string;
  ready: string;
  binary: string;
  env: Record<string, string>;
  dir: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    running: Running;
  }
}

async function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const s = createServer();
    s.on('error', failed);
    s.listen(0, '127.0.0.1', () => {
      const at = s.address();
      s.close(() => (at && typeof at === 'object' ? done(at.port) : failed(new Error('no port'))));
    });
  });
}

/** start runs the binary until it is ready. It outlives the test that starts it: the files of tests share one process. */
export async function start(r: Running): Promise<void> {
  const log = join(r.dir, 'log');
  writeFileSync(log, '');
  const to = openSync(log, 'a');
  const child = spawn(r.binary, [], { env: { ...process.env, ...r.env }, stdio: ['ignore', to, to] });
  closeSync(to);
  writeFileSync(join(r.dir, 'pid'), String(child.pid));
  for (;;) {
    const said = readFileSync(log, 'utf8');
    if (child.exitCode !== null) throw new Error(`the binary has ended with ${child.exitCode}:\n${said}`);
    if ((await fetch(r.ready).catch(() => undefined))?.ok && said.includes('Tributary is ready')) return;
    await new Promise((next) => setTimeout(next, 50));
  }
}

/** stop ends the process that runs now, and waits until it has. */
export async function stop(r: Running, signal: NodeJS.Signals): Promise<void> {
  const pid = Number(readFileSync(join(r.dir, 'pid'), 'utf8'));
  process.kill(pid, signal);
  while (runs(pid)) await new Promise((next) => setTimeout(next, 50));
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export default async function setup(project: TestProject) {
  const bin = process.env['BIN'];
  if (!bin) throw new Error('BIN is not set: the folder of the built binary, as make test-web has it');
  const dir = mkdtempSync(join(tmpdir(), 'tributary-console-'));
  const [http, admin] = [await freePort(), await freePort()];
  const r = {
    url: `http://127.0.0.1:${http}`,
    ready: `http://127.0.0.1:${admin}/readyz`,
    binary: join(bin, 'tributary'),
    env: { TRIBUTARY_DATA_DIR: dir, TRIBUTARY_HTTP_ADDR: `127.0.0.1:${http}`, TRIBUTARY_ADMIN_ADDR: `127.0.0.1:${admin}` },
    dir,
  };
  await start(r);
  project.provide('running', r);
  return async () => {
    await stop(r, 'SIGTERM');
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
}
