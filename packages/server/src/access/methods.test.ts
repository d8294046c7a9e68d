/** Reading changes nothing: what a link, a picture or a prefetch of another site can make a browser ask must be harmless. */
import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import { describe, expect, it } from 'vitest'

const all: AnyRoute[] = Object.values(ROUTES).flatMap((group): AnyRoute[] => Object.values(group))
const reading = all.filter((it) => it.method === 'GET')
/** They answer what a browser needs for its next step, look, or tell a time that was measured: nothing is changed for anybody. */
const ONLY_ASK = [
  'POST /api/gateway/judge',
  'POST /api/invitations/look',
  'POST /api/passkeys/options',
  'POST /api/providers/:id/test',
  'POST /api/providers/look',
  'POST /api/scim/v2/Groups/.search',
  'POST /api/scim/v2/Users/.search',
  'POST /api/sessions/:id/first-frame',
  'POST /api/sessions/:id/keep-awake',
  'POST /api/sessions/:id/thumbnail',
  'POST /api/sessions/:id/viewings',
  'POST /api/sign-in/passkey/options',
  'POST /api/sign-in/second-factor/passkey',
  'POST /api/sign-in/step-up/options',
]
/** Put on record, though nothing is changed: somebody looked at what is somebody's. */
const LOOKED_AT = [
  'GET /api/audit/export',
  'GET /api/gateway/certificate',
  'GET /api/gateway/identity',
  'GET /api/services/:id/logs',
  'GET /api/sessions/:id/logs',
]
/**
 * A browser comes by a link here, as sign-in at a provider needs. What they change is bound to a secret of the browser that began
 * (`federation/flow-secret.ts`), which a foreign site cannot have.
 */
const COME_BY_LINK = [
  'GET /api/sign-in/providers/:id/start',
  'GET /api/sign-in/providers/:id/callback',
  'GET /api/sign-in/providers/:id/finish',
]
const named = (routes: AnyRoute[]) => routes.map((it) => `${it.method} ${it.path}`).sort()

describe('[SEC-7.methods] reading addresses', () => {
  it('are on record only where somebody looked at something', () => {
    expect(reading.length).toBeGreaterThan(30)
    const recorded = reading.filter((it) => it.audit !== null && it.form !== 'navigation')
    expect(named(recorded)).toEqual([...LOOKED_AT].sort())
  })
  it('that come by a link are the ones of providers', () => {
    expect(named(reading.filter((it) => it.form === 'navigation'))).toEqual([...COME_BY_LINK].sort())
  })
  it('ask for no fresh proof: nothing dangerous is among them', () => {
    expect(named(reading.filter((it) => it.stepUp))).toEqual([])
  })
  it('take nothing but their address', () => {
    const withBody = reading.filter((it) => it.body.safeParse({ anything: 1 }).success)
    expect(named(withBody)).toEqual([])
  })
  it('every change is on record', () => {
    const silent = named(all.filter((it) => it.method !== 'GET' && it.audit === null))
    expect(silent).toEqual([...ONLY_ASK].sort())
  })
})
