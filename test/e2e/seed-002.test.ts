/** Seed 002 as a newcomer does it: its own curl lines, and those of docs/oauth-clients.md, by curl against the running server. */
import { randomBytes } from 'node:crypto';
import { commandsOf, describeWithCurl, EMAIL, startShell, type Shell } from '../support/shell';

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

describeWithCurl('seed 002 by curl', () => {
  let shell: Shell;

  beforeAll(async () => {
    shell = await startShell();
  }, 120_000);
  afterAll(async () => shell?.stop());

  it('002-21, 002-33 the seed’s own curl lines, with the three repairs of C3, create, list, filter, read, change and delete', async () => {
    const { harness, url, key, logged, bash } = shell;
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
    const { script, promised } = await commandsOf('oauth-clients.md');
    const secrets = [...script.matchAll(/"client_secret": "(not-[^"]+)"/g)].map(([, secret]) => secret!);
    shell.harness.tripwire.watch(secrets);
    const { output, statuses } = await shell.bash(script);
    expect(statuses).toEqual(promised);
    expect(new Set(promised)).toEqual(new Set([200, 201, 204, 404, 409]));
    expect(secrets).toHaveLength(3);
    expect(secrets.filter((secret) => output.includes(secret))).toEqual([]);
    expect(output).toContain('"name":"Pizza orders"');
    await shell.harness.judge();
  });

  async function uploaded(file: object): Promise<string> {
    const { url, key, harness } = shell;
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
