/** May this request pass, asked of a control plane: remembered for a second for who has a pass, and refused when none answers. */
import type { IncomingHttpHeaders } from 'node:http'
import { ERRORS, type ErrorCode, fail } from '@kalnet/contracts/errors'
import { joinedRoutes } from '@kalnet/contracts/gateway-joined'
import type { Clock } from '@kalnet/io/clock'
import type { ForwardReply } from '../../apps/forward.ts'
import { createRemember } from '../../core/remember.ts'
import type { ControlPlanes } from './control-planes.ts'

const REMEMBER_MS = 1_000
/** Whoever waits for a page does not wait longer to hear that it cannot be said. */
const JUDGE_MS = 4_000
const OWN_PATHS = '/.kalnet/'

const isKnown = (code: string): code is ErrorCode => code in ERRORS

/** Two strangers may look alike and must not share what they are told; who shows a pass is one person. */
export function mayRemember(headers: Record<string, string>): boolean {
  const { cookie = '', 'x-forwarded-uri': uri = '' } = headers
  return /(^|;\s*)(__Host-)?kalnet-pass=/.test(cookie) && !uri.startsWith(OWN_PATHS)
}

export interface Judging {
  decide(headers: IncomingHttpHeaders, address: string): Promise<ForwardReply>
  /** A sign-in ended, or routes changed. */
  forget(): void
}

export function createJudging(
  planes: Pick<ControlPlanes, 'call'>,
  clock: Clock,
  signal: AbortSignal,
): Judging {
  const known = createRemember<ForwardReply>(clock, { forMs: REMEMBER_MS, most: 10_000 })

  async function ask(headers: Record<string, string>, address: string): Promise<ForwardReply> {
    const { reply, refused } = await planes
      .call(joinedRoutes.judge, { body: { headers, address }, signal, timeoutMs: JUDGE_MS })
      .catch((error: unknown) => {
        // That our key is not good is nothing for whoever wants to see a page.
        throw fail('gateway.away', {}, error)
      })
    if (reply) return reply
    throw refused && isKnown(refused.code) ? fail(refused.code, refused.details) : fail('gateway.away')
  }

  return {
    decide(given, address) {
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(given)) if (typeof value === 'string') headers[name] = value
      if (!mayRemember(headers)) return ask(headers, address)
      return known.get(JSON.stringify([headers, address]), () => ask(headers, address))
    },
    forget: known.forget,
  }
}
