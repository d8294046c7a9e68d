/** Tells the server how the screen was: now and then while somebody looks, and once more when they leave. */
import { VIEWING_EVERY_MS } from 'virtual:contracts'
import { call, ROUTES } from '../api.ts'
import type { Measure } from './figures.ts'

/** One viewing, from the opening of a screen until the signal. */
export function tellViewing(sessionId: string, measure: Measure, signal: AbortSignal): void {
  const id = crypto.randomUUID()
  measure.begin()
  let told = 0
  const tell = () => {
    const totals = measure.totals(performance.now())
    // Nothing new was drawn: what was told last is still true.
    if (!totals || totals.frames === told) return
    told = totals.frames
    // A figure that could not be told changes nothing for who looks.
    call(ROUTES.viewings.tell, { params: { id: sessionId }, body: { id, ...totals }, keepalive: true }).catch(
      () => undefined,
    )
  }
  const timer = setInterval(tell, VIEWING_EVERY_MS)
  addEventListener('pagehide', tell, { signal })
  signal.addEventListener('abort', () => {
    clearInterval(timer)
    tell()
  })
}
