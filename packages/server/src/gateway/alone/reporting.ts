/** Says again and again that we are here and what we counted, and hears in return which sign-ins have ended. */
import type { RouteFigures } from '@kalnet/contracts/gateway'
import {
  type GatewayNews,
  type GatewayReport,
  joinedRoutes,
  REPORT_EVERY_MS,
} from '@kalnet/contracts/gateway-joined'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Engine } from '../engine/interface.ts'
import type { ControlPlanes } from './control-planes.ts'
import { isRefusal } from './following.ts'

/** What sign-ins let in is not left open longer than this while nobody can say whether they have ended. */
export const UNHEARD_MS = 30_000
const REPORT_MS = 3_000
const SIGN_INS_MOST = 20_000

export interface ReportingOptions {
  planes: Pick<ControlPlanes, 'call'>
  engine: Pick<Engine, 'figures' | 'signIns' | 'cut' | 'problems' | 'finishing'>
  /** Name, run, version, ports, machine. */
  who(): Omit<GatewayReport, 'figures' | 'signIns' | 'problems' | 'finishing' | 'leaving'>
  heard(news: GatewayNews): void
  /** What was let in is ended: nothing that was remembered counts any more. */
  forget(): void
  clock: Clock
  log: Log
  signal: AbortSignal
}

export function createReporting(options: ReportingOptions) {
  const { planes, engine, who, heard, clock, log, signal } = options
  const now = () => clock.now().getTime()
  let told = new Map<string, string>()
  let proof: string | null = null
  let lastHeard = now()
  let problem: string | null = null

  /** Those that changed since they were told. */
  function news(): { figures: RouteFigures[]; said: Map<string, string> } {
    const said = new Map<string, string>()
    const figures = engine.figures().filter((it) => {
      const text = JSON.stringify(it)
      said.set(it.routeId, text)
      return it.requests > 0 && told.get(it.routeId) !== text
    })
    return { figures, said }
  }
  const cutAll = () => engine.signIns().reduce((sum, id) => sum + engine.cut(id), 0)

  function failed(error: unknown): void {
    const refused = isRefusal(error)
    const said = refused
      ? `The control plane refuses our key: ${error.message} Guarded addresses are closed until it takes it again.`
      : 'The control plane is away. What is open to everybody is served on, guarded addresses are not.'
    if (problem !== said) log.error({ problem: said }, 'this gateway is on its own')
    problem = said
    if (!refused && now() - lastHeard < UNHEARD_MS) return
    options.forget()
    const ended = cutAll()
    if (ended > 0) log.warn({ ended }, 'what sign-ins had let in was ended')
  }

  async function report(leaving = false): Promise<void> {
    const { figures, said } = news()
    const signIns = engine.signIns().slice(0, SIGN_INS_MOST)
    const answer = await planes.call(joinedRoutes.report, {
      body: {
        ...who(),
        figures,
        signIns,
        problems: engine.problems().slice(0, 1_000),
        finishing: engine.finishing().slice(0, 10_000),
        leaving,
      },
      // At the end the signal was aborted already.
      signal: leaving ? AbortSignal.timeout(REPORT_MS) : signal,
      timeoutMs: REPORT_MS,
    })
    // Another control plane, or one that began anew, has not counted what was told before.
    told = proof === answer.proof ? said : new Map()
    proof = answer.proof
    lastHeard = now()
    if (problem) log.info('the control plane is there again')
    problem = null
    for (const id of answer.ended) engine.cut(id)
    heard(answer)
  }

  return {
    report,
    /** Null: all is well. */
    problem: () => problem,
    /** Until the signal. */
    async run(): Promise<void> {
      while (!signal.aborted) {
        await report().catch((error: unknown) => {
          if (!signal.aborted) failed(error)
        })
        // Aborted while waiting: the loop's condition ends it.
        await clock.sleep(REPORT_EVERY_MS, signal).catch(() => undefined)
      }
    },
  }
}
