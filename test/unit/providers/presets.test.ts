import type { IntegrationSettings } from '../../../src/connection/messages';
import { createCatalogue } from '../../../src/providers/catalogue';
import type { Preset } from '../../../src/providers/preset';
import { audienceOf, displayName, findPreset, policyOf, presetOf, targetOf } from '../../../src/providers/resolve';
import { Secret } from '../../../src/vault/secret';

const settings: IntegrationSettings = {
  label: 'Our shop',
  preset: 'generic',
  grant_type: 'authorization_code',
  endpoints: {
    authorization: 'https://login.example.com/authorize',
    token: 'https://login.example.com/token',
    revocation: 'https://revoke.example.com/r',
    identity: 'https://login.example.com/me',
    issuer: 'https://login.example.com',
  },
  client_id: 'app',
  client_auth: 'client_secret_post',
  scope: 'read',
  api_base_url: 'https://api.example.com',
  environment: 'production',
  rotation: 'grace',
  rotation_grace_seconds: 30,
  policy: { refresh: 'proactive', fallback: 'pause', idle_limit_seconds: 100 },
  refresh_token_required: true,
};

function shipped(name: string, extra: Parameters<typeof createCatalogue>[0] = []): Preset {
  const found = createCatalogue(extra).get(name);
  if (found === undefined) throw new Error(`No preset ${name}`);
  return found;
}

describe('the catalogue', () => {
  it('holds a preset without endpoints and one whose endpoints are constants', () => {
    expect([...createCatalogue().keys()]).toEqual(['generic', 'google']);
    expect(shipped('generic').endpoints).toBeUndefined();
    expect(shipped('google')).toMatchObject({
      endpoints: { token: 'https://oauth2.googleapis.com/token', issuer: 'https://accounts.google.com' },
      authorization_params: { access_type: 'offline', prompt: 'consent' },
      pkce: 'required',
      rotation: { mode: 'none' },
    });
  });
  it('takes rows of a deployment, which replace shipped ones of the same name', () => {
    const rows = [
      { name: 'shop', title: 'Shop' },
      { name: 'google', title: 'Our Google' },
    ];
    expect(shipped('shop', rows).title).toBe('Shop');
    expect(shipped('google', rows).title).toBe('Our Google');
    expect(shipped('google', rows).endpoints).toBeUndefined();
  });
  it("gives a tenant's own row in the place of a shipped one, and none for a row that no longer fits", () => {
    const [catalogue, preset] = [createCatalogue(), { name: 'pv_x', title: 'Pizza', pkce: 'off' as const }];
    expect(findPreset(catalogue, 'pv_x', { preset })).toMatchObject({ ...preset, body_format: 'form' });
    expect(findPreset(catalogue, 'pv_x')).toBeUndefined();
    const broken = { preset: { ...preset, pkce: 'sometimes' } as never };
    expect(findPreset(catalogue, 'pv_x', broken)).toBeUndefined();
    expect(() => presetOf(catalogue, 'pv_x', broken)).toThrow(/not in the catalogue/);
  });
  it('refuses a row it does not understand', () => {
    expect(() => createCatalogue([{ name: 'No Name', title: 'x' }])).toThrow();
    expect(() => createCatalogue([{ name: 'x', title: 'x', surprise: 1 } as never])).toThrow();
    expect(() => createCatalogue([{ name: 'pv_x', title: 'x' }])).toThrow(/those of providers of tenants/);
  });
});

describe('settings and preset together', () => {
  it('name the other side of every request, with the secret and where it may go', () => {
    const clientSecret = new Secret('s');
    const audience = ['https://login.example.com'];
    expect(targetOf(settings, shipped('generic'), { clientSecret, audience })).toEqual({
      tokenUrl: 'https://login.example.com/token',
      revocationUrl: 'https://revoke.example.com/r',
      identityUrl: 'https://login.example.com/me',
      issuer: 'https://login.example.com',
      clientId: 'app',
      clientAuth: 'client_secret_post',
      clientSecret,
      audience,
      preset: shipped('generic'),
    });
    expect(targetOf({ ...settings, client_auth: 'none' }, shipped('generic')).clientSecret).toBeUndefined();
  });
  it('make a policy: what the tenant set wins over the preset', () => {
    const lifetime = { idle_limit_seconds: 500, absolute_limit_seconds: 900, refresh_buffer_seconds: 5 };
    const given = shipped('p', [{ name: 'p', title: 'P', lifetime, rotation: { mode: 'strict', grace_seconds: 9 } }]);
    expect(policyOf(settings, given)).toEqual({
      grantType: 'authorization_code',
      refresh: 'proactive',
      rotation: { mode: 'grace', graceSeconds: 30 },
      fallback: 'pause',
      refreshBufferSeconds: 5,
      minRefreshIntervalSeconds: undefined,
      idleLimitSeconds: 100,
      absoluteLimitSeconds: 900,
    });
  });
  it('are shown by the title of the preset, or by their own label when the endpoints were typed in', () => {
    expect(displayName(settings, shipped('google'))).toBe('Google');
    expect(displayName(settings, shipped('generic'))).toBe('Our shop');
    // Typed endpoints have a context of their own: a known name must not vouch for them.
    expect(displayName({ ...settings, context_id: 'acme.in_1' }, shipped('google'))).toBe('Our shop');
  });
  it('bind secrets to the origins of the endpoints, each once', () => {
    expect(audienceOf(settings)).toEqual(['https://login.example.com', 'https://revoke.example.com']);
  });
});
