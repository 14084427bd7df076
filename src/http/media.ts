/** Media types: JSON:API and plain JSON in and out, the answer in the one asked for. */
import type { FastifyRequest } from 'fastify';
import { DurableOAuthError } from '../errors';
import type { App } from './deps';

export const JSON_API = 'application/vnd.api+json';
export const JSON_PLAIN = 'application/json';

/** @returns the media type of the answer: as accepted, else as the request's own body, else JSON:API. */
export function answerType({ headers }: Pick<FastifyRequest, 'headers'>): string {
  const named = (headers.accept ?? '').split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  const asked = named.find((type) => type === JSON_API || type === JSON_PLAIN);
  if (asked) return asked;
  return headers['content-type']?.toLowerCase().startsWith(JSON_PLAIN) ? JSON_PLAIN : JSON_API;
}

/** Take the charset away that Fastify adds to every JSON: JSON:API 1.1 section 5.1 knows no such parameter. */
export function bareMediaType(app: App): void {
  app.addHook('onSend', async (_request, reply) => {
    if (String(reply.getHeader('content-type')).startsWith(JSON_API)) reply.header('content-type', JSON_API);
  });
}

/** Read bodies of the two media types and no others: Fastify answers 415 for the rest. */
export function acceptBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([JSON_API, JSON_PLAIN], { parseAs: 'string' }, (request, body, done) => {
    const type = request.headers['content-type']?.toLowerCase() ?? '';
    // JSON:API 1.1 section 5.1: no parameter but `ext` and `profile`, and we know none of either.
    if (type.startsWith(JSON_API) && type.includes(';')) {
      done(new DurableOAuthError('MEDIA_TYPE_UNSUPPORTED', `${JSON_API} takes no parameter`));
    } else if (body === '') {
      done(null, undefined);
    } else if (String(body).trim() === 'null') {
      // A body that may be left out is either left out or a document.
      done(new DurableOAuthError('SYNTAX_INVALID', 'A document is required'));
    } else {
      void parse(request, String(body), done);
    }
  });
}
