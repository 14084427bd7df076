/** Seed 002 as a newcomer does it: its own curl lines, and those of docs/oauth-clients.md, by curl against the running server. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { issueKey } from '../../src/cli/create-key';
import { claimPorts } from '../../src/cli/dev/ports';
import { buildApp } from '../../src/http/app';
import { Harness } from '../support/harness';

/** Byte for byte, with what its template engine did to it. */
const SEED = {
  create: String.raw`curl /v2/tenants/{TENANT_ID}/oauth-clients \
   -X POST \
   -u {EMAIL}:{APIKEY} \
   -H 'Content-Type: application/json' -d '
   {
     "data":{
       "type":"oauth-client",
       "attributes":{
         "client_id":"{CLIENT_ID}",
         "client_secret":"{CLIENT_SECRET}"
       },
       "relationships":{
         "component":{
           "data":{
             "id":"{COMPONENT_ID}",
             "type":"component"
           }
         }
       }
     }
   }'`,
  list: String.raw`curl /v2/tenants/{TENANT_ID}/oauth-clients \ -u {EMAIL}:{APIKEY}`,
  filter: String.raw`curl /v2/tenants/{TENANT_ID}/oauth-clients/?filter[component]= \ -u {EMAIL}:{APIKEY}`,
  get: String.raw`curl /v2/tenants/{TENANT_ID}/oauth-clients/{OAUTH-CLIENT_ID} \ -u {EMAIL}:{APIKEY}`,
  patch: String.raw`curl /v2/tenants/{TENANT_ID}/oauth-clients/{OAUTH-CLIENT_ID} \
  -X PATCH \
  -u {EMAIL}:{APIKEY} \
  -H 'Content-Type: application/json' -d '
  {
    "data":{
      "type":"oauth-client",
      "attributes":{
        "client_id":"{CLIENT_ID}",
        "client_secret":"{CLIENT_SECRET}"
      },
      "relationships":{
        "component":{
          "data":{
            "id":"{COMPONENT_ID}",
            "type":"component"
          }
        }
      }
    }
  }'`,
  remove: String.raw`curl -i /v2/tenants/{TENANT_ID}/oauth-clients/{OAUTH-CLIENT_ID} \ -X DELETE \ -u {EMAIL}:{APIKEY}`,
};
/** Its two snippets in one file. */
const COMPONENT_JSON = {
  title: 'Pizza Van',
  envVars: {
    PIZZAVAN_KEY: { required: true, description: 'Your Pizza Van OAuth client key' },
    PIZZAVAN_SECRET: { required: true, description: 'Your Pizza Van OAuth client secret' },
  },
  credentials: {
    oauth2: { client_id: '', client_secret: '', auth_uri: 'https://auth_uri', token_uri: 'https://token_uri' },
    useOAuthClient: true,
  },
};
const EMAIL = 'ops@acme.example';
const hasCurl = spawnSync('curl', ['--version']).status === 0;

(hasCurl ? describe : describe.skip)(`seed 002 by curl${hasCurl ? '' : ' (skipped: there is no curl here)'}`, () => {
  let harness: Harness;
  let url: string;
  let key: string;
  let folder: string;
  let stopApp: () => Promise<void>;
  const logged: string[] = [];

  beforeAll(async () => {
    const [port] = await claimPorts([0]);
    url = `http://127.0.0.1:${port}`;
    harness = await Harness.start({ config: { publicUrl: url, callbackUrl: `${url}/callback`, port } });
    const { parts } = harness;
    const app = buildApp({
      ...parts,
      config: { ...parts.config, callbackBase: `${url}/callback` },
      log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    });
    await app.listen({ host: '127.0.0.1', port });
    stopApp = () => app.close();
    key = await issueKey(parts.registry, { tenant: harness.tenant, email: EMAIL });
    harness.tripwire.watch([key]);
    folder = await mkdtemp(join(tmpdir(), 'durable-oauth-seed-'));
  }, 120_000);
  afterAll(async () => {
    await stopApp?.();
    await harness?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** What a shell prints, and the status of each answer in order. */
  async function bash(script: string): Promise<{ readonly output: string; readonly statuses: readonly number[] }> {
    // A function, so that commands stay as they are printed.
    const counted = `curl() { command curl -s -w '%{stderr}%{http_code}\\n' "$@"; }`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-euc', `${counted}\n${script}`], {
      cwd: folder,
      env: { ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' },
    });
    return { output: stdout, statuses: stderr.trim().split('\n').map(Number) };
  }

  it('002-21, 002-33 the seed’s own curl lines, with the three repairs of C3, create, list, filter, read, change and delete', async () => {
    const component = await uploaded(COMPONENT_JSON);
    const secrets = [randomBytes(24).toString('base64url'), randomBytes(24).toString('base64url')];
    harness.tripwire.watch(secrets);
    const values: Record<string, string> = {
      TENANT_ID: harness.tenant,
      EMAIL,
      APIKEY: key,
      CLIENT_ID: 'pizza-van-1',
      CLIENT_SECRET: secrets[0]!,
      COMPONENT_ID: component,
    };
    const shown: string[] = [];
    const run = async (line: string): Promise<{ status: number | undefined; output: string }> => {
      const { output, statuses } = await bash(repaired(line, url, values));
      shown.push(output);
      return { status: statuses[0], output };
    };
    const ids = (output: string): unknown => JSON.parse(output).data.map(({ id }: { id: string }) => id);

    const created = await run(SEED.create);
    expect([created.status, created.output]).toEqual([201, expect.stringContaining(component)]);
    const client = JSON.parse(created.output).data.id as string;
    values['OAUTH-CLIENT_ID'] = client;

    const listed = await run(SEED.list);
    expect([listed.status, ids(listed.output)]).toEqual([200, [client]]);
    const unfiltered = await run(SEED.filter);
    expect([unfiltered.status, ids(unfiltered.output)]).toEqual([200, [client]]);
    expect(JSON.parse(unfiltered.output).meta.warnings[0].code).toBe('EMPTY_FILTER_IGNORED');
    const filtered = await run(SEED.filter.replace('[component]=', '[component]={COMPONENT_ID}'));
    expect([filtered.status, ids(filtered.output), JSON.parse(filtered.output).meta]).toEqual([200, [client], {}]);
    const elsewhere = await run(SEED.filter.replace('[component]=', '[component]=cp_never'));
    expect([elsewhere.status, ids(elsewhere.output)]).toEqual([200, []]);

    const before = await run(SEED.get);
    expect([before.status, JSON.parse(before.output).data.id]).toEqual([200, client]);

    Object.assign(values, { CLIENT_ID: 'pizza-van-2', CLIENT_SECRET: secrets[1] });
    const changed = await run(SEED.patch);
    expect([changed.status, JSON.parse(changed.output).data.attributes.client_id]).toEqual([200, 'pizza-van-2']);
    const fingerprints = [before, changed].map(
      ({ output }) => JSON.parse(output).data.attributes.client_secret_fingerprint,
    );
    expect(new Set(fingerprints).size).toBe(2);

    values['APIKEY'] = 'no-key-of-anybody';
    const refused = await run(SEED.remove);
    expect([refused.status, refused.output]).toEqual([401, expect.stringMatching(/^www-authenticate: /im)]);
    values['APIKEY'] = key;
    const removed = await run(SEED.remove);
    expect([removed.status, removed.output]).toEqual([204, expect.stringMatching(/^HTTP\/1\.1 204 [^]*\r\n\r\n$/)]);
    expect((await run(SEED.get)).status).toBe(404);
    expect([...shown, ...logged].filter((text) => [...secrets, key].some((one) => text.includes(one)))).toEqual([]);
    await harness.judge();
  });

  it('002-27 every command of docs/oauth-clients.md works as printed, and answers what its comment says', async () => {
    await mkdir(join(folder, '.durable-oauth'));
    const access = { url, tenant: harness.tenant, email: EMAIL, key };
    await writeFile(join(folder, '.durable-oauth', 'api-key.json'), JSON.stringify(access));
    const page = await readFile(join(__dirname, '../../docs/oauth-clients.md'), 'utf8');
    const script = [...page.matchAll(/^```bash\n([^]*?)^```$/gm)].map(([, block]) => block).join('');
    const promised = [...script.matchAll(/^# (\d{3})\b/gm)].map(([, status]) => Number(status));
    const secrets = [...script.matchAll(/"client_secret": "(not-[^"]+)"/g)].map(([, secret]) => secret!);
    harness.tripwire.watch(secrets);
    const { output, statuses } = await bash(script);
    expect(statuses).toEqual(promised);
    expect(new Set(promised)).toEqual(new Set([200, 201, 204, 404, 409]));
    expect(secrets).toHaveLength(3);
    expect(secrets.filter((secret) => output.includes(secret))).toEqual([]);
    expect(output).toContain('"name":"Pizza orders"');
    await harness.judge();
  });

  async function uploaded(file: object): Promise<string> {
    const answer = await fetch(`${url}/v2/tenants/${harness.tenant}/components`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ data: { type: 'component', attributes: { file } } }),
    });
    expect([answer.status, await answer.clone().text()]).toEqual([201, expect.any(String)]);
    return ((await answer.json()) as { data: { id: string } }).data.id;
  }
});

/** The three repairs of C3: host, ids and keys filled in; `\ -` read as a line continuation; `-g` because of the brackets. */
const repaired = (line: string, host: string, values: Readonly<Record<string, string>>): string =>
  line
    .replace(/ (?=\/v2\/)/, ` ${host}`)
    .replaceAll(/\{([A-Z_-]+)\}/g, (name, inside: string) => values[inside] ?? name)
    .replaceAll('\\ -', '\\\n -')
    .replace(/^curl /, 'curl -g ');
