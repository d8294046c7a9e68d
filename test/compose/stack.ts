/** The rendered files in a folder of their own, started by the real docker-compose, and everything of them taken away afterwards. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { renderAll } from '@kalnet/cli/commands/render'
import { CONTROLLER_HOME } from '@kalnet/cli/render/dockerfile'
import { purgeDocker } from '@kalnet/controller/platforms/docker/purge'
import { systemClock } from '@kalnet/io/clock'
import { folders } from '@kalnet/io/folders'
import { must, type RunResult, run } from '@kalnet/io/spawn'
import { docker } from './images.ts'

const LIMIT_MS = 300_000

interface Inspected {
  State: { Pid: number; Status: string; Health?: { Status: string; Log?: { Output: string }[] } }
  RestartCount: number
  HostConfig: {
    Memory: number
    NanoCpus: number
    PidsLimit: number | null
    ReadonlyRootfs: boolean
    CapDrop: string[] | null
    SecurityOpt: string[] | null
    Privileged: boolean
  }
  Config: { User: string }
}

export async function openStack(file: string, project: string) {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-stack-'))
  for (const [name, text] of Object.entries(renderAll({ open: [], dynamic: null }))) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const profile: string[] = []
  const how = (words: readonly string[]) => [
    ...['--project-directory', folder, '--project-name', project, '--file', join(folder, file)],
    ...words,
  ]
  // Only what `.env` says: that it is enough is part of what is shown.
  const options = { env: { PATH: process.env.PATH ?? '', HOME: folder }, cwd: folder, timeoutMs: LIMIT_MS }
  const compose = (...words: string[]) => must('docker-compose', how([...profile, ...words]), options)

  async function inspect(service: string): Promise<Inspected> {
    const id = (await compose('ps', '--quiet', service)).stdout.trim()
    if (!id) throw new Error(`${service} has no container`)
    const [found] = JSON.parse((await docker('inspect', id)).stdout) as Inspected[]
    if (!found) throw new Error(`${service} has no container`)
    return found
  }
  const log = async (service: string) =>
    (await run('docker-compose', how([...profile, 'logs', '--no-color', '--tail=60', service]), options))
      .stdout

  return {
    folder,
    compose,
    inspect,
    log,
    attempt: (...words: string[]): Promise<RunResult> => run('docker-compose', how(words), options),
    use: (name: string) => void profile.push('--profile', name),
    env: (values: Record<string, string>) =>
      writeFile(
        join(folder, '.env'),
        Object.entries(values)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
        { mode: 0o600 },
      ),
    /** `kalnet …` inside the control plane's container. */
    async kalnet<T>(...words: string[]): Promise<T> {
      const { stdout } = await compose('exec', '-T', 'control-plane', 'kalnet', ...words, '--json')
      return JSON.parse(stdout) as T
    },
    async healthy(...services: string[]): Promise<void> {
      for (const service of services) {
        const until = Date.now() + LIMIT_MS
        for (;;) {
          const { State } = await inspect(service)
          if (State.Health?.Status === 'healthy') break
          if (Date.now() > until)
            throw new Error(
              `${service} is ${State.Status}, ${State.Health?.Status}: ${State.Health?.Log?.at(-1)?.Output}\n${await log(service)}`,
            )
          await systemClock.sleep(500)
        }
      }
    },
    /** Ends its first process as a fault would, not as the engine is asked to: the engine's own restart rule must bring it back. */
    async kill(service: string): Promise<void> {
      const { State } = await inspect(service)
      process.kill(State.Pid, 'SIGKILL')
      const until = Date.now() + LIMIT_MS
      for (;;) {
        const now = await inspect(service)
        if (now.State.Pid !== State.Pid && now.State.Pid !== 0) return
        if (Date.now() > until) throw new Error(`${service} did not come back\n${await log(service)}`)
        await systemClock.sleep(200)
      }
    },
    async close(): Promise<void> {
      await run(
        'docker-compose',
        how([...profile, 'down', '--volumes', '--remove-orphans', '--timeout', '20']),
        options,
      )
      if (profile.includes('controller')) {
        await purgeDocker({ folders: folders({ KALNET_HOME: CONTROLLER_HOME }), keepImages: true })
        await must('rm', ['-rf', '--one-file-system', CONTROLLER_HOME])
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
export type Stack = Awaited<ReturnType<typeof openStack>>
