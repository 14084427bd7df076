/** A consent link: what starts up to ten attempts to consent. Its URL is shown once; only a hash of it is kept. */
import { z } from 'zod';
import { input, resource, text, time } from './document';

export const createConsentLink = input(
  'consent-link',
  z
    .strictObject({
      return_to: text(2048).optional(),
      expires_at: z.iso.datetime({ offset: true }).optional(),
    })
    .default({}),
);

export const consentLink = resource('consent-link', z.object({ url: z.string(), expires_at: time }));
export const consentLinkDocument = z.object({ data: consentLink });
