/** What a container's health check is told of the last heartbeat. */
import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { beatProblem, noteBeat } from './beat.ts'

test('[NET-7.image] a controller is well while its heartbeats go out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-beat-'))
  const folders = { runtime: join(folder, 'run') }
  try {
    const now = Date.now()
    expect(await beatProblem(folders, now)).toContain('no heartbeat')
    await noteBeat(folders)
    await noteBeat(folders)
    await utimes(join(folders.runtime, 'controller.beat'), now / 1000, now / 1000)
    expect(await beatProblem(folders, now + 29_000)).toBeNull()
    expect(await beatProblem(folders, now + 31_000)).toContain('31 s ago')
  } finally {
    await rm(folder, { recursive: true })
  }
})
