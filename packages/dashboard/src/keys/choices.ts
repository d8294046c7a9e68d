/** What a key may be made with: ready choices and their scopes. A test holds them against the contracts. */
import type { ScopePreset, ServiceKey } from '@kalnet/contracts/key'
import type { KeyScope } from '@kalnet/contracts/permission'
import * as m from '../messages/index.ts'

export const SCOPE_WORDS: Record<KeyScope, string> = m.keyScope
export const ALL_SCOPES = Object.keys(SCOPE_WORDS) as KeyScope[]
export const PRESETS: Record<ScopePreset, readonly KeyScope[]> = {
  read: ALL_SCOPES.filter((it) => it.endsWith('.read') && it !== 'audit.read'),
  launch: [
    'me.read',
    'catalog.read',
    'session.read',
    'session.launch',
    'session.stop',
    'stream.open',
    'event.read',
  ],
  scim: ['scim.use'],
  everything: ALL_SCOPES,
}
export const PRESET_WORDS: Record<ScopePreset, string> = {
  read: m.keyMayRead,
  launch: m.keyMayLaunch,
  scim: m.keyMayScim,
  everything: m.keyMayEverything,
}

/** The name of the ready choice, else the things one by one. */
export function mayWords(scopes: readonly KeyScope[]): string {
  const same = (preset: readonly KeyScope[]) =>
    preset.length === scopes.length && preset.every((it) => scopes.includes(it))
  const known = (Object.keys(PRESETS) as ScopePreset[]).find((name) => same(PRESETS[name]))
  if (known) return PRESET_WORDS[known]
  const [first, second, ...more] = scopes.map((it) => SCOPE_WORDS[it])
  if (more.length > 0) return m.keyScopeCount(scopes.length)
  return [first, second].filter(Boolean).join(' · ')
}

const DAY_MS = 24 * 3600_000
/** From here on the person is told that the end is near. */
const SOON_MS = 14 * DAY_MS
export function stateOf(key: ServiceKey, now: number): 'over' | 'soon' | 'two' | 'good' {
  const left = key.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(key.expiresAt) - now
  if (left <= 0) return 'over'
  if (key.overlapUntil !== null && Date.parse(key.overlapUntil) > now) return 'two'
  // A key made for a few days only is no surprise.
  const life = key.expiresAt === null ? 0 : Date.parse(key.expiresAt) - Date.parse(key.createdAt)
  return left < SOON_MS && life > 2 * SOON_MS ? 'soon' : 'good'
}
