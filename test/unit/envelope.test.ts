import { CompactEncrypt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { inspect } from 'node:util';
import { createOpener, createSealer, type EnvelopeKeySource } from '../../src/envelope';
import { DurableOAuthError } from '../../src/errors';
import { findCanaries } from '../../src/testing/canary';
import { Secret } from '../../src/vault/secret';

const CANARY = 'canary-client-secret-4711';

interface KeyPair {
  readonly kid: string;
  readonly publicJwk: JWK & { kid: string };
  readonly privateJwk: JWK;
}

async function makePair(kid: string): Promise<KeyPair> {
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  return { kid, publicJwk: { ...(await exportJWK(publicKey)), kid }, privateJwk: await exportJWK(privateKey) };
}

const sourceOf = (...pairs: readonly KeyPair[]): EnvelopeKeySource => ({
  publicKeys: async () => pairs.map(({ publicJwk }) => publicJwk),
});

/** Private keys by id; counts how often they were asked for. */
function keyRing(...pairs: readonly KeyPair[]): { asked: string[]; load: (kid: string) => Promise<JWK> } {
  const asked: string[] = [];
  return {
    asked,
    async load(kid) {
      asked.push(kid);
      const pair = pairs.find((each) => each.kid === kid);
      if (pair === undefined) throw new DurableOAuthError('VAULT_MISSING');
      return pair.privateJwk;
    },
  };
}

function header(sealed: string): unknown {
  return JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString());
}

let one: KeyPair;
let two: KeyPair;
beforeAll(async () => {
  one = await makePair('ek_one');
  two = await makePair('ek_two');
});
afterEach(() => jest.restoreAllMocks());

describe('sealing', () => {
  it('what was sealed for a purpose is opened for it, secrets by their value', async () => {
    const sealed = await createSealer(sourceOf(one)).seal('save', {
      client_secret: new Secret(CANARY),
      nested: { list: [new Secret('größe 🔐')], none: null, absent: undefined },
    });
    expect(await createOpener(keyRing(one).load).open('save', sealed)).toEqual({
      client_secret: CANARY,
      nested: { list: ['größe 🔐'], none: null },
    });
  });

  it('a sealed text is a compact JWE that names key and purpose, and shows nothing', async () => {
    const sealed = await createSealer(sourceOf(one)).seal('code', { code: CANARY });
    expect(sealed.split('.')).toHaveLength(5);
    expect(header(sealed)).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'ek_one', typ: 'durable-oauth/code' });
    expect(findCanaries(sealed, [CANARY])).toEqual([]);
  });

  it('the newest key is used', async () => {
    const sealed = await createSealer(sourceOf(two, one)).seal('code', {});
    expect(header(sealed)).toMatchObject({ kid: 'ek_two' });
  });

  it('public keys are asked for once in five minutes, by many callers at once too', async () => {
    const publicKeys = jest.fn(sourceOf(one).publicKeys);
    const now = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const sealer = createSealer({ publicKeys });
    await Promise.all([sealer.ready(), sealer.seal('code', {}), sealer.seal('code', {})]);
    now.mockReturnValue(1_000_000 + 299_999);
    await sealer.seal('code', {});
    expect(publicKeys).toHaveBeenCalledTimes(1);

    publicKeys.mockImplementation(sourceOf(two, one).publicKeys);
    now.mockReturnValue(1_000_000 + 300_000);
    expect(header(await sealer.seal('code', {}))).toMatchObject({ kid: 'ek_two' });
    expect(publicKeys).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('the database is away'))],
    ['has no key', () => Promise.resolve([])],
    ['has a broken key', () => Promise.resolve([{ kid: 'ek_broken', kty: 'EC' }])],
  ])('while the source %s the last good key serves', async (_what, answer: EnvelopeKeySource['publicKeys']) => {
    const publicKeys = jest.fn(sourceOf(one).publicKeys);
    const now = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const sealer = createSealer({ publicKeys });
    await sealer.ready();
    publicKeys.mockImplementation(answer);
    now.mockReturnValue(2_000_000);
    for (let turn = 0; turn < 3; turn += 1)
      expect(header(await sealer.seal('code', {}))).toMatchObject({ kid: 'ek_one' });
    publicKeys.mockImplementation(sourceOf(two).publicKeys);
    now.mockReturnValue(2_010_000);
    expect(header(await sealer.seal('code', {}))).toMatchObject({ kid: 'ek_two' });
  });

  it('without any key nothing is sealed, and the next call asks again', async () => {
    const publicKeys = jest.fn<ReturnType<EnvelopeKeySource['publicKeys']>, []>(async () => []);
    const sealer = createSealer({ publicKeys });
    await expect(sealer.ready()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    publicKeys.mockRejectedValueOnce(new Error('canary-in-a-message'));
    const failure: unknown = await sealer.seal('code', {}).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(inspect(failure)).not.toContain('canary-in-a-message');
    publicKeys.mockImplementation(sourceOf(one).publicKeys);
    await expect(sealer.ready()).resolves.toBeUndefined();
  });

  it('content that is not JSON-ready is refused without being repeated', async () => {
    const circular: Record<string, unknown> = { secret: CANARY };
    circular[CANARY] = circular;
    const failure: unknown = await createSealer(sourceOf(one))
      .seal('save', circular)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INTERNAL' });
    expect(findCanaries(inspect(failure, { depth: 9 }), [CANARY])).toEqual([]);
  });
});

describe('opening', () => {
  const unreadable = { code: 'ENVELOPE_UNREADABLE' };

  it('a text sealed for one purpose does not open for another', async () => {
    const sealed = await createSealer(sourceOf(one)).seal('code', { code: CANARY });
    const { asked, load } = keyRing(one);
    await expect(createOpener(load).open('save', sealed)).rejects.toMatchObject(unreadable);
    expect(asked).toEqual([]);
  });

  it('a text whose purpose was rewritten does not open', async () => {
    const [, ...rest] = (await createSealer(sourceOf(one)).seal('code', { code: CANARY })).split('.');
    const sealedForSave = await createSealer(sourceOf(one)).seal('save', {});
    const forged = [sealedForSave.split('.')[0], ...rest].join('.');
    await expect(createOpener(keyRing(one).load).open('save', forged)).rejects.toMatchObject(unreadable);
  });

  it('a text with any character changed does not open', async () => {
    const sealed = await createSealer(sourceOf(one)).seal('code', { code: CANARY });
    const opener = createOpener(keyRing(one).load);
    const significant = [...sealed].flatMap((character, at) => {
      const endsPart = at + 1 === sealed.length || sealed[at + 1] === '.';
      // The last character of a base64url part may carry bits that are not part of the value.
      return character === '.' || endsPart ? [] : [at];
    });
    for (const at of significant) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      await expect(opener.open('code', changed)).rejects.toMatchObject(unreadable);
    }
    await expect(opener.open('code', sealed)).resolves.toEqual({ code: CANARY });
  });

  it.each(['', 'no envelope', 'a.b.c.d.e', `${Buffer.from('{}').toString('base64url')}....`])(
    'what is no envelope does not open: %j',
    async (text) => {
      await expect(createOpener(keyRing(one).load).open('code', text)).rejects.toMatchObject(unreadable);
    },
  );

  it('other algorithms are refused', async () => {
    const sealed = await new CompactEncrypt(Buffer.from('{}'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: 'ek_one', typ: 'durable-oauth/code' })
      .encrypt(Buffer.alloc(32));
    const load = async (): Promise<JWK> => ({ kty: 'oct', k: Buffer.alloc(32).toString('base64url') });
    await expect(createOpener(load).open('code', sealed)).rejects.toMatchObject(unreadable);
  });

  it('content that is no record does not open', async () => {
    const opener = createOpener(keyRing(one).load);
    for (const text of ['[1]', '"text"', 'null', 'not JSON']) {
      const sealed = await new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'ek_one', typ: 'durable-oauth/code' })
        .encrypt(one.publicJwk);
      await expect(opener.open('code', sealed)).rejects.toMatchObject(unreadable);
    }
  });

  it('without the private key a text is unreadable for good', async () => {
    const sealed = await createSealer(sourceOf(two)).seal('code', { code: CANARY });
    await expect(createOpener(keyRing(one).load).open('code', sealed)).rejects.toMatchObject(unreadable);
  });

  it('a vault that does not answer is told as such, and asked again', async () => {
    const sealed = await createSealer(sourceOf(one)).seal('code', { code: CANARY });
    const load = jest.fn(keyRing(one).load);
    load.mockRejectedValueOnce(new DurableOAuthError('VAULT_UNAVAILABLE'));
    const opener = createOpener(load);
    await expect(opener.open('code', sealed)).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    await expect(opener.open('code', sealed)).resolves.toEqual({ code: CANARY });
  });

  it('a private key is asked for once', async () => {
    const { asked, load } = keyRing(one);
    const opener = createOpener(load);
    const sealer = createSealer(sourceOf(one));
    for (let turn = 0; turn < 3; turn += 1) await opener.open('code', await sealer.seal('code', {}));
    expect(asked).toEqual(['ek_one']);
  });

  it('a failure repeats neither the text nor what the loader said', async () => {
    const sealed = await createSealer(sourceOf(one)).seal('code', { code: CANARY });
    const opener = createOpener(() => Promise.reject(new Error(`loader: ${CANARY}`)));
    const failure: unknown = await opener.open('code', sealed).catch((error: unknown) => error);
    const shown = inspect(failure, { depth: 9, showHidden: true });
    expect(failure).toMatchObject(unreadable);
    expect(shown).not.toContain(sealed.slice(0, 20));
    expect(findCanaries(shown, [CANARY])).toEqual([]);
  });
});
