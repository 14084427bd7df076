/**
 * PostgreSQL's wire protocol for many clients on one PGlite session.
 *
 * PGlite has a single backend. A client gets it for one whole batch (up to Query or Sync) and keeps it while its
 * transaction is open, in the order of asking. `@electric-sql/pglite-socket` hands it over after every message instead:
 * a second client's Parse then replaces the unnamed statement that the first one is about to bind
 * (electric-sql/pglite#1046), and one internal error stops its queue for good.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:net';

const PROTOCOL_3 = 196608;
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
/** A client that holds the session and says nothing would stop everybody else. */
const IDLE_IN_TRANSACTION_MS = 5_000;

const zeroEnded = (text) => Buffer.from(`${text}\0`);

function message(type, body) {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

function startupPacket() {
  const body = Buffer.concat([
    zeroEnded('user'),
    zeroEnded('postgres'),
    zeroEnded('database'),
    zeroEnded('postgres\0'),
  ]);
  const header = Buffer.alloc(8);
  header.writeInt32BE(body.length + 8, 0);
  header.writeInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([header, body]);
}

const ASK_PASSWORD = message('R', Buffer.from([0, 0, 0, 3]));
const REFUSED = message(
  'E',
  Buffer.concat([zeroEnded('SFATAL'), zeroEnded('C28P01'), zeroEnded('Mthe password is not valid'), Buffer.from([0])]),
);
const SYNC = message('S', Buffer.alloc(0));
const ROLLBACK = message('Q', zeroEnded('ROLLBACK'));

/** Cut a client's bytes into messages: `type` is '' for those of the start, which have none. */
async function* messagesOf(socket) {
  let bytes = Buffer.alloc(0);
  let started = false;
  for await (const chunk of socket) {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    for (;;) {
      const typed = started ? 1 : 0;
      if (bytes.length < typed + 4) break;
      const end = typed + bytes.readInt32BE(typed);
      if (end < typed + 4) throw new Error('A message of impossible length');
      if (bytes.length < end) break;
      const whole = bytes.subarray(0, end);
      bytes = bytes.subarray(end);
      if (!started) started = whole.readInt32BE(4) === PROTOCOL_3;
      yield { type: typed === 1 ? String.fromCharCode(whole[0]) : '', whole };
    }
  }
}

/** First come, first served. */
function turnstile() {
  let taken = false;
  const waiting = [];
  return {
    enter: () => {
      if (taken) return new Promise((resolve) => waiting.push(resolve));
      taken = true;
      return Promise.resolve();
    },
    leave: () => {
      const next = waiting.shift();
      if (next === undefined) taken = false;
      else next();
    },
  };
}

const digest = (text) => createHash('sha256').update(text).digest();

/**
 * @param db a ready PGlite
 * @param password what every client must say
 * @param onBroken called when the backend fails as a whole; it cannot be used after that
 * @returns a server that is not listening yet
 */
export async function oneSessionServer(db, password, onBroken) {
  const turns = turnstile();
  const welcome = Buffer.from(await db.execProtocolRaw(startupPacket()));
  const expected = digest(password);

  async function execute(batch) {
    try {
      return await db.execProtocolRaw(batch);
    } catch (error) {
      onBroken(error);
      throw error;
    }
  }

  /** @returns whether the client may go on */
  function greet(socket, { type, whole }) {
    if (type === 'p') {
      const right = timingSafeEqual(digest(whole.subarray(5, -1)), expected);
      socket.write(right ? welcome : REFUSED);
      return right;
    }
    const code = type === '' ? whole.readInt32BE(4) : 0;
    const answers = { [SSL_REQUEST]: Buffer.from('N'), [GSS_REQUEST]: Buffer.from('N'), [PROTOCOL_3]: ASK_PASSWORD };
    if (answers[code] === undefined) return false;
    socket.write(answers[code]);
    return true;
  }

  async function serve(socket) {
    let known = false;
    let holding = false;
    let batch = [];
    try {
      for await (const received of messagesOf(socket)) {
        if (!known) {
          if (!greet(socket, received)) return;
          known = received.type === 'p';
          continue;
        }
        if (received.type === 'X') return;
        batch.push(received.whole);
        if (!'QSFH'.includes(received.type)) continue;
        if (!holding) await turns.enter();
        holding = true;
        socket.write(Buffer.from(await execute(Buffer.concat(batch))));
        batch = [];
        if (received.type !== 'H' && !db.isInTransaction()) {
          holding = false;
          turns.leave();
        }
        socket.setTimeout(holding ? IDLE_IN_TRANSACTION_MS : 0);
      }
    } finally {
      if (holding) {
        await execute(Buffer.concat([SYNC, ROLLBACK])).finally(() => turns.leave());
      }
      socket.end();
    }
  }

  return createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('timeout', () => socket.destroy());
    // A client may go at any moment; what it held is given back by `serve`.
    socket.on('error', () => socket.destroy());
    serve(socket).catch(() => socket.destroy());
  });
}
