/** Gateways of their own, as this process heard of them: what they count, what is wrong there, and with what they prove themselves. */
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { fail } from '@kalnet/contracts/errors'
import type { RouteFigures } from '@kalnet/contracts/gateway'
import { type GatewayReport, REPORT_EVERY_MS, REPORT_LATE_MS } from '@kalnet/contracts/gateway-joined'
import type { Clock } from '@kalnet/io/clock'
import type { Before } from '../../core/origin.ts'
import { mergeFigures } from './merge.ts'

/** Of one household: more than anybody runs, and few enough to keep. */
const MOST = 50
/** Somebody else of its name is refused until it was not heard for so long: a gateway that broke off comes back at once. */
const NAME_MS = REPORT_EVERY_MS * 2

interface Known {
  organisationId: string
  name: string
  run: string
  at: number
  proof: string
  figures: Map<string, RouteFigures>
  problems: GatewayReport['problems']
}
export type JoinedProblem = GatewayReport['problems'][number] & { gateway: string }

export interface KnownGateways {
  /** `isNew`: it was not known, or began anew. Throws while another one has its name. */
  heard(organisationId: string, report: GatewayReport): { proof: string; isNew: boolean }
  /** Counted since this process started, by all of them. */
  figures(): RouteFigures[]
  problems(organisationId: string): JoinedProblem[]
  /** `<proof> <address> <scheme>` of one that proved itself; null: nobody is believed. */
  before(said: string | undefined): Before | null
}

export function createKnownGateways(clock: Clock): KnownGateways {
  const all = new Map<string, Known>()
  const byProof = new Map<string, Known>()
  /** Of those that ended or began anew. */
  let earlier: RouteFigures[] = []

  const isLate = ({ at }: Known) => clock.now().getTime() - at > REPORT_LATE_MS
  const idle = (figures: Iterable<RouteFigures>) => [...figures].map((it) => ({ ...it, open: 0 }))
  function forget(key: string, known: Known) {
    earlier = mergeFigures(earlier, idle(known.figures.values()))
    all.delete(key)
    byProof.delete(known.proof)
  }
  /** The one that was silent longest makes room. */
  function makeRoom(organisationId: string) {
    const mine = [...all].filter(([, it]) => it.organisationId === organisationId)
    if (mine.length < MOST) return
    const [first] = mine.sort(([, one], [, other]) => one.at - other.at)
    if (first) forget(...first)
  }

  return {
    heard(organisationId, { name, run, figures, problems, leaving }) {
      const key = `${organisationId} ${name}`
      const now = clock.now().getTime()
      let known = all.get(key)
      if (known && known.run !== run) {
        if (now - known.at < NAME_MS) throw fail('service.name-taken', { name })
        forget(key, known)
        known = undefined
      }
      const isNew = known === undefined
      if (!known) {
        makeRoom(organisationId)
        const proof = randomBytes(32).toString('base64url')
        known = { organisationId, name, run, at: now, proof, figures: new Map(), problems: [] }
        all.set(key, known)
        byProof.set(proof, known)
      }
      known.at = now
      known.problems = problems
      for (const it of figures) known.figures.set(it.routeId, it)
      if (leaving) forget(key, known)
      return { proof: known.proof, isNew }
    },
    figures: () =>
      mergeFigures(
        earlier,
        ...[...all.values()].map((it) => (isLate(it) ? idle(it.figures.values()) : it.figures.values())),
      ),
    problems: (organisationId) =>
      [...all.values()]
        .filter((it) => it.organisationId === organisationId && !isLate(it))
        .flatMap(({ name, problems }) => problems.map((it) => ({ ...it, gateway: name }))),
    before(said) {
      if (said === undefined) return null
      const [proof = '', address = '', scheme] = said.split(' ')
      const known = byProof.get(proof)
      if (!known || isLate(known) || isIP(address) === 0) return null
      return { address, secure: scheme === 'https' }
    },
  }
}
