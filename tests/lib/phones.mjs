// The phones of a kezek-smsc: what is dialled and typed, and the pages that come, over its socket --phones.
import net from 'node:net';
import { once } from 'node:events';

export class Phones {
  static async open(stage, path) {
    const p = new Phones();
    Object.assign(p, { next: 1, waiting: new Map(), pushed: [], rest: '' });
    p.socket = net.connect(path);
    p.socket.setEncoding('utf8');
    p.socket.on('data', (d) => p.take(d));
    p.socket.on('error', () => {});
    stage.defer(() => p.socket.destroy());
    await once(p.socket, 'connect');
    await p.order({ do: 'nothing' }); // an answer: from here on it is told of pushes
    return p;
  }

  take(octets) {
    const lines = (this.rest + octets).split('\n');
    this.rest = lines.pop();
    for (const line of lines) {
      const answer = JSON.parse(line);
      if (answer.event === 'push') this.pushed.push(answer);
      else {
        this.waiting.get(answer.id)?.(answer);
        this.waiting.delete(answer.id);
      }
    }
  }

  // Answers what became of it: {text, how, units, alphabet, faults, ms}, {ok} or {error}. Orders of one turn of the loop go
  // together: the second is said before the page of the first can come.
  order(fields) {
    const id = this.next++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.socket.cork();
      this.socket.write(`${JSON.stringify({ id, ...fields })}\n`);
      process.nextTick(() => this.socket.uncork());
    });
  }

  phone(number, fields = {}) { return new Phone(this, number, fields); }
}

// One phone. Each order answers the page as it came.
export class Phone {
  constructor(phones, number, fields) { Object.assign(this, { phones, number, fields }); }

  order(word, fields = {}) { return this.phones.order({ do: word, phone: this.number, ...this.fields, ...fields }); }

  dial(code) { return this.order('dial', { text: code }); }
  type(text) { return this.order('type', { text }); }
  repeat() { return this.order('repeat'); }
  cancel() { return this.order('cancel'); }
  hang() { return this.order('hang'); }
  silent() { return this.order('silent'); }
  get pushed() { return this.phones.pushed.filter((p) => p.phone === this.number); }
}
