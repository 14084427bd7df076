/**
 * `/oauth/confirm?c=<8>`: where the browser is after the provider: wait, confirm, or read the outcome. In modes `session` and
 * `handback` it goes on to its application instead, which confirms.
 */
import { z } from 'zod';
import type { ConsentView } from '../../client/contract';
import { parseRef } from '../../connection/ids';
import { plain, wordReason } from '../../connection/wording';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { isReturnTarget } from '../urls';
import { markup, type Html } from './html';
import { saying, sendPage, type Page, type Said } from './page';
import { permissionList } from './parts';
import { neutralPage, problemPage } from './problem';
import { appOf } from '../integrations/integration-resource';

const PATH = '/oauth/confirm';
const RELOAD_SECONDS = 2;
const RETURN_SECONDS = 4;

const querystring = z.object({ c: z.string().max(64).default('') });
const body = z.object({ csrf: z.string().max(128).default('') });

export function confirmPages(app: App, deps: AppDeps): void {
  const { consents, config } = deps;

  app.route({
    method: 'GET',
    url: PATH,
    config: { public: true },
    schema: { querystring },
    handler: async (request, reply) => {
      const said = saying(languageOf(request.headers['accept-language']), config.brand);
      const view = await consents.describe(request.query.c, request.headers.cookie);
      if (view === undefined) return sendPage(reply, 404, said, neutralPage(said));
      const onward = onwardOf(deps, view);
      if (onward !== undefined) return sendPage(reply, 200, said, onwardPage(said, onward));
      return sendPage(reply, 200, said, await pageOf(deps, said, view));
    },
  });

  app.route({
    method: 'POST',
    url: PATH,
    config: { public: true },
    schema: { querystring, body },
    handler: async (request, reply) => {
      const said = saying(languageOf(request.headers['accept-language']), config.brand);
      const view = await consents.confirm(request.query.c, request.headers.cookie, request.body.csrf);
      if (view === undefined) return sendPage(reply, 404, said, neutralPage(said));
      return reply.redirect(`${config.publicUrl}${PATH}?c=${encodeURIComponent(request.query.c)}`, 303);
    },
  });
}

const onwardOf = ({ config }: AppDeps, { onward }: ConsentView): string | undefined =>
  onward !== undefined && isReturnTarget(onward, config.returnOrigins) ? onward : undefined;

/**
 * By a page and not by a redirect: a browser holds the form that was posted at the provider to that page's `form-action`
 * through every redirect that follows, and no provider knows the origins of applications behind us.
 */
const onwardPage = ({ say }: Said, onward: string): Page => ({
  title: say('waitTitle'),
  body: markup`<p><a href="${onward}">${say('onward', { next: plain(new URL(onward).host) })}</a></p>`,
  refresh: { seconds: 0, url: onward },
});

/** What a page about an attempt may name. */
interface Names extends Readonly<Record<string, string | undefined>> {
  readonly app: string;
  readonly tenant: string;
  readonly account: string | undefined;
}

async function pageOf(deps: AppDeps, said: Said, { reading, stage, csrf }: ConsentView): Promise<Page> {
  const { registry, config } = deps;
  const { tenant } = parseRef(reading.ref);
  const name = (await registry.tenants.get(tenant))?.name ?? tenant;
  // An attempt learns the app's name with its grant; one that got none still names it.
  const app = reading.app || (await appNamed(deps, reading.ref));
  const names: Names = {
    app: plain(app),
    tenant: plain(name),
    account: reading.account && plain(reading.account),
  };
  const back =
    reading.returnTo && isReturnTarget(reading.returnTo, config.returnOrigins) ? reading.returnTo : undefined;
  switch (stage) {
    case 'waiting_for_confirmation':
      // Only its application confirms the others, and it cannot be reached any more when they come here.
      if ((reading.mode ?? 'link') !== 'link') return neutralPage(said);
      return confirmation(said, names, reading, csrf);
    case 'connected':
      return connected(said, names, back);
    case 'failed':
      return failed(deps, said, names, reading, back);
    case 'waiting_for_callback':
    case 'exchanging':
    case 'handing_over':
      return {
        title: said.say('waitTitle'),
        body: markup`<p role="status">${said.say('waitText', names)}</p>`,
        refresh: { seconds: RELOAD_SECONDS },
      };
  }
}

async function appNamed({ registry, catalogue }: AppDeps, ref: string): Promise<string> {
  const context = await registry.connections.context(parseRef(ref));
  return context ? appOf(context.integration, catalogue, context.provider) : '';
}

function confirmation({ say }: Said, names: Names, reading: ConsentView['reading'], csrf: string): Page {
  const unverifiable = reading.sameAccount === 'unverifiable' ? say('confirmUnverifiable', names) : '';
  return {
    title: say('confirmTitle'),
    body: markup`<p><strong>${say(names.account ? 'confirmQuestion' : 'confirmUnknown', names)}</strong></p>
      ${unverifiable === '' ? undefined : markup`<p>${unverifiable}</p>`}
      <h2>${say('permissions')}</h2>
      ${permissionList(reading.scope, '', say('noPermissions'))}
      <form method="post">
        <input type="hidden" name="csrf" value="${csrf}" /><button type="submit">${say('confirmButton')}</button>
      </form>
      <p class="aside">${say('confirmDecline')}</p>`,
  };
}

function connected({ say }: Said, names: Names, back: string | undefined): Page {
  return {
    title: say('connectedTitle'),
    body: markup`<p role="status">${say(names.account ? 'connectedText' : 'connectedUnknown', names)}</p>
      ${wayBack(say, back)}`,
    refresh: back === undefined ? undefined : { seconds: RETURN_SECONDS, url: back },
  };
}

async function failed(
  { registry }: AppDeps,
  said: Said,
  names: Names,
  { ref, code = 'INTERNAL', detail }: ConsentView['reading'],
  back: string | undefined,
): Promise<Page> {
  const settings = (await registry.connections.context(parseRef(ref)))?.integration.settings;
  const values = { app: names.app, account: names.account, client: settings?.label, uri: settings?.redirect_uri };
  const wording = wordReason(code, said.lang, values, { detail, preset: settings?.preset });
  return problemPage(said, wording, values, wayBack(said.say, back));
}

function wayBack(say: Said['say'], back: string | undefined): Html {
  return back === undefined ? markup`<p>${say('close')}</p>` : markup`<p><a href="${back}">${say('back')}</a></p>`;
}
