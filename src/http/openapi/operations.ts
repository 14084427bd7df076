/** What the contract says of an operation beyond its schemas, derived from method and path: new routes are covered as they come. */

const PREFIX = /^\/v2\/(?:tenants\/:tenant\/)?/;
const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'replace', PATCH: 'update', DELETE: 'delete' };
const SAID: Readonly<Record<string, string>> = { get: 'Read', list: 'List' };
const PROPER: Readonly<Record<string, string>> = { oauth: 'OAuth' };

export interface OperationNames {
  /** createConnectionConsentLink */
  readonly operationId: string;
  /** Create a consent link of a connection */
  readonly summary: string;
  readonly tags: readonly string[];
}

/** @param url a path of Fastify: `/v2/tenants/:tenant/connections/:id` */
export function namesOf(method: string, url: string): OperationNames {
  const segments = url.replace(PREFIX, '').split('/').filter(Boolean);
  const nouns = segments.filter((segment) => !segment.startsWith(':'));
  const [last = '', ...above] = nouns.toReversed();
  const many = isPlural(last) && segments.at(-1) === last;
  const verb = VERBS[method] ?? (many ? 'list' : 'get');
  const parents = above.map(singular);
  const subject = verb === 'list' ? last : singular(last);
  return {
    operationId: verb + [...parents.toReversed(), subject].map(pascal).join(''),
    summary: [
      SAID[verb] ?? capital(verb),
      verb === 'list' ? words(subject) : many || isPlural(last) ? withArticle(subject) : `the ${words(subject)}`,
      ...parents.map((parent) => `of ${withArticle(parent)}`),
    ].join(' '),
    tags: nouns.slice(0, 1),
  };
}

/** What a path or query parameter is, where its schema does not say. */
export function describeParameter(name: string, url: string): string {
  const filter = /^filter\[(.+)]$/.exec(name)?.[1];
  if (filter !== undefined) return `Only those with this ${words(filter)}; empty filters nothing`;
  if (name === 'tenant') return 'The tenant; 404 unless the principal has a role there';
  const noun = new RegExp(`([^/{}]+)/(?::${name}|\\{${name}})(?:/|$)`).exec(url)?.[1];
  return noun === undefined ? capital(words(name)) : `${capital(words(name))} of the ${words(singular(noun))}`;
}

const isPlural = (noun: string): boolean => /[^s]s$/.test(noun);
const singular = (noun: string): string =>
  isPlural(noun)
    ? noun
        .slice(0, -1)
        .replace(/(sh|ch|x)e$/, '$1')
        .replace(/ie$/, 'y')
    : noun;
const parts = (name: string): string[] => name.split(/[-_]/).filter(Boolean);
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const pascal = (name: string): string => parts(name).map(capital).join('');
const words = (name: string): string =>
  parts(name)
    .map((word) => PROPER[word] ?? word)
    .join(' ');
const withArticle = (noun: string): string => `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${words(noun)}`;
