// Clients who take places at the door and ask for nothing (tests/bench/crowd.c), and the load beside them.
import { join } from 'node:path';
import { binaries, top, until } from './stage.mjs';

// The tools of tests/bench where tests/bench/run has not built them.
export async function buildTool(stage, name) {
  const to = stage.path(`kezek-${name}`);
  await stage.must('cc', ['-std=gnu11', '-D_GNU_SOURCE', '-O2', join(top, `tests/bench/${name}.c`), '-o', to]);
  return to;
}

export class Crowd {
  static gathered = 0;

  // idle keep silent, dribble say an octet a second; dial of them come in a millisecond. binary: of buildTool.
  static async gather(stage, port, { idle = 0, dribble = 0, dial = 4, binary = join(binaries, 'kezek-crowd') }) {
    const c = new Crowd();
    c.process = stage.start(`crowd-${++Crowd.gathered}`, binary,
      ['--port', port, '--idle', idle, '--dribble', dribble, '--dial', dial].map(String));
    await until(() => `the crowd stands: ${c.process.err()}`, () => {
      if (c.process.ended) throw new Error(c.process.err());
      return c.process.out().includes('ready');
    }, 60000, 20);
    return c;
  }

  // What became of them.
  async leave() {
    await this.process.stop();
    return JSON.parse(this.process.out().split('\n').find((l) => l.startsWith('{')));
  }
}
