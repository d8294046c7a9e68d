/** The page a person sees instead of a service: small, calm, without scripts. */
import type { KalnetError } from '@kalnet/contracts/errors'

/** Its hash stands in the policy below; a test holds both together. */
export const STYLE =
  ':root{color-scheme:light dark;--ground:#f7f6f3;--text:#24262b;--quiet:#646a73;--line:#dcd9d2}' +
  '@media(prefers-color-scheme:dark){:root{--ground:#17191d;--text:#e8e6e1;--quiet:#9aa0a8;--line:#33363c}}' +
  'body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--text);' +
  'font:1.0625rem/1.55 system-ui,sans-serif}' +
  'main{max-width:30rem;padding:2rem}h1{font-size:1.375rem;line-height:1.3;margin:0 0 .75rem;font-weight:600}' +
  'p{margin:0 0 .75rem}small{display:block;margin-top:1.5rem;padding-top:.75rem;border-top:1px solid var(--line);' +
  'color:var(--quiet);overflow-wrap:anywhere}'
export const STYLE_HASH = 'sha256-kCN/pew8LrXknDIdi9lIfbXKI6d81RsEBaXxQgjo9XY='
export const PAGE_POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escaped = (text: string) => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '')

export function pageOf(error: KalnetError, requestId: string): string {
  const { message, next } = error.body(requestId).error
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<title>${escaped(message)}</title><style>${STYLE}</style></head>` +
    `<body><main><h1>${escaped(message)}</h1><p>${escaped(next)}</p>` +
    `<small>${error.status} · ${escaped(requestId)}</small></main></body></html>`
  )
}
