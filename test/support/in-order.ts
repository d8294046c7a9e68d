/** Steps of a journey stand on each other: after one that failed, the others are not tried. A broken beginning costs its own time only, and names itself. */
import { beforeEach } from 'vitest'

export function inOrder(): void {
  beforeEach(({ task }) => {
    const failed = task.suite?.tasks.find((it) => it !== task && it.result?.state === 'fail')
    if (failed) throw new Error(`not tried, because this failed before it: ${failed.name}`)
  })
}
