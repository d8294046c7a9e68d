/** The end of an instance: is it over, why, and making sure that nothing of it goes on. */
import { readIfThere } from '@kalnet/io/files'
import type { Log } from '@kalnet/io/log'
import type { Observation } from '../platform.ts'
import { endedInWords } from '../reasons.ts'
import type { Abilities } from './abilities.ts'
import type { Layout } from './layout.ts'
import { identify, isAlive, signalAll, tree } from './processes.ts'
import { readStatus } from './sandbox.ts'
import { bootId, type InstanceState, type ProcessId, writeState } from './state.ts'

const LOOK_MS = 25
const KILL_LIMIT_MS = 5_000

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export function createEnding(options: {
  layout: Layout
  abilities(): Promise<Abilities>
  /** Gives back what an ended instance no longer needs; its log stays until it is removed. */
  release(state: InstanceState): Promise<void>
  log: Log
}) {
  const { layout } = options

  const status = async (state: InstanceState) =>
    readStatus((await readIfThere(layout.of(state.instanceId).status)) ?? '')

  /** bubblewrap's outer process ends with the command, its init with the last process: either one is the end. */
  const isOver = (state: InstanceState) => !isAlive(state.outer) || !isAlive(state.inner)

  /** The whole tree, and what is in its groups though no parent leads to it. */
  async function everyone(state: InstanceState): Promise<ProcessId[]> {
    const found = await tree([state.outer, state.inner])
    const { groups } = await options.abilities()
    const members = await groups.members(layout.of(state.instanceId).name)
    const others = members.filter((pid) => found.every((it) => it.pid !== pid)).map(identify)
    return [...found, ...others.filter((it) => it !== null)]
  }

  async function killAll(state: InstanceState) {
    // The init first: the kernel then ends everything in its namespace, also what forks faster than we look.
    if (state.inner) signalAll([state.inner], 'SIGKILL')
    for (let waited = 0; waited < KILL_LIMIT_MS; waited += LOOK_MS) {
      const left = await everyone(state)
      if (left.length === 0) return
      // The outer process is given a moment to write down how its command ended.
      const isOuter = (it: ProcessId) => it.pid === state.outer?.pid && waited < 500
      signalAll(
        left.filter((it) => !isOuter(it)),
        'SIGKILL',
      )
      await pause(LOOK_MS)
    }
    throw new Error('some of its processes do not end')
  }

  async function finish(state: InstanceState): Promise<NonNullable<InstanceState['ended']>> {
    const isSameBoot = state.bootId === (await bootId())
    if (isSameBoot) await killAll(state)
    const { groups } = await options.abilities()
    const { exitCode } = await status(state)
    const outOfMemory = exitCode !== 0 && (await groups.outOfMemory(layout.of(state.instanceId).name))
    const reason = state.stopping
      ? 'It was stopped'
      : !isSameBoot
        ? 'The machine was restarted'
        : exitCode === null && !outOfMemory
          ? 'It was killed from outside'
          : endedInWords(exitCode, outOfMemory)
    const ended = { code: exitCode, reason, at: new Date().toISOString() }
    await writeState(layout, { ...state, phase: 'ended', ended })
    await options.release(state).catch((error) => {
      // Removing it tries again.
      options.log.warn({ instance: state.instanceId, error }, 'not all of what it used was given back')
    })
    return ended
  }

  return {
    async observe(state: InstanceState): Promise<Observation> {
      const isSameBoot = state.bootId === (await bootId())
      if (!state.ended && isSameBoot && !isOver(state))
        return { state: 'running', startedAt: state.startedAt }
      const ended = state.ended ?? (await finish(state))
      return { state: 'ended', code: ended.code, reason: ended.reason, endedAt: ended.at }
    },
    /** Asks all of it to end, and after the grace makes it. */
    async end(state: InstanceState, graceMs: number): Promise<void> {
      if (state.ended) return
      const isSameBoot = state.bootId === (await bootId())
      if (isSameBoot && graceMs > 0 && !isOver(state)) {
        const isFrame = (it: ProcessId) => it.pid === state.outer?.pid || it.pid === state.inner?.pid
        signalAll(
          (await tree([state.inner])).filter((it) => !isFrame(it)),
          'SIGTERM',
        )
        for (let waited = 0; waited < graceMs && !isOver(state); waited += LOOK_MS) await pause(LOOK_MS)
      }
      await finish(state)
    },
  }
}
