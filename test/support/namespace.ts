/** Another device of the home network: a network namespace with one cable to this machine. */
import { randomBytes } from 'node:crypto'
import { must, run } from '@kalnet/io/spawn'

export interface Namespace {
  name: string
  /** This machine's address on that cable. */
  here: string
  there: string
  /** Runs a program on the other device. */
  run(command: string, args: string[], timeoutMs?: number): ReturnType<typeof run>
  remove(): Promise<void>
}

export async function makeNamespace(): Promise<Namespace> {
  const word = randomBytes(2).toString('hex')
  const name = `knlan-${word}`
  const [near, far] = [`lan${word}a`, `lan${word}b`]
  // A small piece of TEST-NET-1 (RFC 5737), nobody's real network; another one each time, whatever an ended run left.
  const piece = (Number.parseInt(word, 16) % 64) * 4
  const [here, there] = [`192.0.2.${piece + 1}`, `192.0.2.${piece + 2}`]
  await must('ip', ['netns', 'add', name])
  await must('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far])
  await must('ip', ['link', 'set', far, 'netns', name])
  await must('ip', ['addr', 'add', `${here}/30`, 'dev', near])
  await must('ip', ['link', 'set', near, 'up'])
  const inside = (...args: string[]) => must('ip', ['-n', name, ...args])
  await inside('link', 'set', 'lo', 'up')
  await inside('addr', 'add', `${there}/30`, 'dev', far)
  await inside('link', 'set', far, 'up')
  return {
    name,
    here,
    there,
    run: (command, args, timeoutMs = 60_000) =>
      run('ip', ['netns', 'exec', name, command, ...args], { timeoutMs }),
    async remove() {
      await run('ip', ['link', 'del', near])
      await run('ip', ['netns', 'del', name])
    },
  }
}
