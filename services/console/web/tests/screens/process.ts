import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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
  pid: number;
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

/** start runs the binary until it is ready. */
export async function start(r: Omit<Running, 'pid'>): Promise<ChildProcess> {
  const child = spawn(r.binary, [], { env: { ...process.env, ...r.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', (b) => (log += b));
  child.stderr.on('data', (b) => (log += b));
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the binary has ended with ${child.exitCode}:\n${log}`);
    if ((await fetch(r.ready).catch(() => undefined))?.ok && log.includes('Tributary is ready')) return child;
    await new Promise((next) => setTimeout(next, 50));
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
  const child = await start(r);
  project.provide('running', { ...r, pid: child.pid ?? 0 });
  return async () => {
    const ended = new Promise((done) => child.once('exit', done));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(dir, { recursive: true, force: true });
  };
}
