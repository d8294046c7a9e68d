/** A later release asks for what this one cannot read: what is here of it stays until it is to stop, and nothing is begun. */
import type { DesiredInstance, ObservedInstance, UnreadableInstance } from '@kalnet/contracts/instance'
import type { Entry } from './journal.ts'

const TOO_OLD = 'Kalnet on its machine is too old to run it: update it there'

export function decline(
  wish: UnreadableInstance,
  entry: Entry | undefined,
  act: { stop(desired: DesiredInstance): void; report(observed: ObservedInstance): void },
): void {
  const { id, generation, platform } = wish
  const here = entry?.generation ?? 0
  if (here > generation) return
  const isOver = wish.state === 'stopped'
  if (entry?.desired?.state === 'running' && (isOver || here < generation)) act.stop(entry.desired)
  if (here === generation) return
  const state = isOver ? 'stopped' : 'failed'
  const its = { id, generation, platform, times: {}, progress: null, logTail: [] }
  act.report({ ...its, state, reason: isOver ? null : TOO_OLD })
}
