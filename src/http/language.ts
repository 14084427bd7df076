/** Which of our languages a request asks for: RFC 9110 section 12.5.4, English when none of them. */
import { LANGS, type Lang } from '../connection/reasons';

export function languageOf(acceptLanguage: string | undefined): Lang {
  const asked = (acceptLanguage ?? '')
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range.trim().toLowerCase().split(';');
      const quality = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1]).find(Boolean);
      return { lang: LANGS.find((lang) => lang === tag.split('-')[0]), quality: Number(quality ?? 1) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return asked.find(({ lang }) => lang !== undefined)?.lang ?? 'en';
}
