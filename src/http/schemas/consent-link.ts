/** A consent link: what starts up to ten attempts to consent. Its URL is shown once; only a hash of it is kept. */
import { z } from 'zod';
import { input, printable, resource, text, time } from './document';

const mode = z
  .enum(['link', 'session', 'handback'])
  .describe('Who confirms: the person on our page, the principal that made the link, or the end user’s application');

/** The other application's own id, so nothing is trimmed: what differs there differs here. */
export const endUserId = printable(z.string().min(1).max(256)).describe(
  'The id of the end user in the application that confirms; for mode handback only',
);

const attributes = z.strictObject({
  mode: mode.default('link'),
  return_to: text(2048).optional().describe('Where the person goes afterwards; modes session and handback require it'),
  expires_at: z.iso.datetime({ offset: true }).optional(),
  end_user_id: endUserId.optional(),
});

export type ConsentLinkAttributes = z.output<typeof attributes>;

export const createConsentLink = input('consent-link', attributes.prefault({}));

export const consentLink = resource('consent-link', z.object({ url: z.string(), mode, expires_at: time }));
export const consentLinkDocument = z.object({ data: consentLink });
