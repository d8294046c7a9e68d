/** What a service is called: a label of a host name, of nobody else here. Pure. */
import { fail } from '@kalnet/contracts/errors'

/** Names of Kalnet itself, and those that mean something else wherever names are looked up. */
const RESERVED = new Set([
  'kalnet',
  'www',
  'localhost',
  'api',
  'dashboard',
  'gateway',
  'ns',
  'mail',
  'autoconfig',
  'wpad',
  'isatap',
])

export const isReserved = (name: string): boolean => RESERVED.has(name)

/** A DNS label (RFC 1123): a slug that does not end with a dash. */
const isLabel = (name: string) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)

/** `wanted` null: the template's id, with a number where that is taken. Throws service.name-taken, request.invalid. */
export function nameFor(wanted: string | null, templateId: string, taken: ReadonlySet<string>): string {
  const isFree = (name: string) => !taken.has(name) && !isReserved(name)
  if (wanted !== null) {
    if (!isLabel(wanted)) throw fail('request.invalid', { problem: `name: ${wanted} cannot be a host name` })
    if (!isFree(wanted)) throw fail('service.name-taken', { name: wanted })
    return wanted
  }
  const base = templateId.slice(0, 55).replace(/-+$/, '')
  if (isFree(base)) return base
  for (let number = 2; ; number++) if (isFree(`${base}-${number}`)) return `${base}-${number}`
}
