/** `kalnet up`: the main job. Everything is started, and the address or the claim link is printed. */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '@kalnet/contracts/config'
import { fail } from '@kalnet/contracts/errors'
import { freePortNear, portTaken, tryPort, whoListens } from '@kalnet/io/ports'
import { start } from '@kalnet/io/spawn'
import { installUnit } from '../at-boot.ts'
import { claimLink, printAddress } from '../claim.ts'
import type { AddCommand, Context } from '../context.ts'
import { buildDashboard } from '../dashboard.ts'
import { ensureHost } from '../host/packages.ts'
import { CliProblem, EXIT, failed, refused } from '../problem.ts'
import { addListenFlags, type ListenFlags, listenArguments, readConfig } from '../settings.ts'
import { readSupervisor, stopSupervisor } from '../supervisor/client.ts'
import { liveRecord } from '../supervisor/lock.ts'
import type { SupervisorStatus } from '../supervisor/state.ts'
import { ourselves } from '../tree.ts'
import { superviseHere } from './serve.ts'
import { printStatus } from './status.ts'

interface UpFlags extends ListenFlags {
  foreground?: boolean
  atBoot?: boolean
  install: boolean
  asIs?: boolean
  dashboard: boolean
}

/** Making a database, building nothing: generous for a slow disk. */
const READY_MS = 180_000

export const addUp: AddCommand = (program, context) => {
  addListenFlags(program.command('up').description('start everything and print the address'))
    .option('--foreground', 'stay in the foreground (containers, systemd)')
    .option('--at-boot', 'start at every boot, by systemd')
    .option('--no-install', 'never install programs on this machine')
    .option('--as-is', 'go on with the programs that are there')
    .option('--no-dashboard', 'without building the screens: the API alone')
    .action(async (flags: UpFlags) => up(context(), flags))
}

async function up(it: Context, flags: UpFlags): Promise<void> {
  const { folders, output, env, uid, signal } = it
  const running = await readSupervisor(folders, signal)
  if (running && running.phase !== 'stopping' && running.phase !== 'failed') return again(it, flags, running)
  const config = await readConfig({ folders, env, flags })
  const host = async () => {
    if (!flags.asIs) await ensureHost({ env, uid, mayInstall: flags.install, output, signal })
  }
  await (flags.dashboard ? buildDashboard(output, signal, { beside: host }) : host())
  try {
    await freePort(config.listen.host, config.listen.port)
  } catch (error) {
    // Taken by ourselves: another `up` was quicker.
    const meanwhile = await readSupervisor(folders, signal)
    if (!meanwhile) throw error
    return again(it, flags, meanwhile)
  }
  await sayTaken(config, output)
  if (flags.atBoot) return installUnit(it, flags)
  if (flags.foreground) return foreground(it, flags)
  const ready = await output.step('Starting', async (say) => {
    const supervisor = detach(it, flags)
    return waitUntilReady(it, say, supervisor.ended)
  })
  await printAddress(it, ready, await claimLink(it))
}

/** A second `up`: nothing is started twice; what runs is told. */
async function again(it: Context, flags: UpFlags, running: SupervisorStatus): Promise<void> {
  if (flags.atBoot) return installUnit(it, flags)
  const status = running.phase === 'ready' ? running : await waitUntilReady(it, () => undefined)
  if (flags.lan && !status.lan)
    it.output.note('It runs without --lan. To change that: kalnet down --keep-instances, then up.')
  const link = await claimLink(it)
  if (link) return printAddress(it, status, link)
  printStatus(it, status)
}

/** The supervisor outlives this command and its terminal. */
function detach({ folders, env }: Context, flags: UpFlags): { ended(): boolean } {
  const logs = join(folders.data, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  const log = openSync(join(logs, 'supervisor.log'), 'a', 0o600)
  const [command, args] = ourselves('supervise', ...listenArguments(flags))
  const child = start(command, args, { detached: true, stdio: ['ignore', log, log], env, cwd: '/' })
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  child.once('error', () => {
    ended = true
  })
  child.unref()
  closeSync(log)
  return { ended: () => ended }
}

async function foreground(it: Context, flags: UpFlags): Promise<void> {
  const ending = new AbortController()
  process.once('SIGTERM', () => ending.abort())
  const told = AbortSignal.any([it.signal, ending.signal])
  const work = superviseHere(it.folders, it.env, flags, told)
  const announce = async () => {
    const ready = await waitUntilReady(it, () => undefined)
    await printAddress(it, ready, await claimLink(it))
  }
  // A failure to start is the work's own to tell.
  announce().catch(() => undefined)
  if ((await work) === 'failed') throw failed('Kalnet could not be started.', 'The reason stands above.')
}

async function waitUntilReady(
  it: Context,
  say: (detail: string) => void,
  ended = () => false,
): Promise<SupervisorStatus> {
  const { clock, folders, signal } = it
  const began = clock.now().getTime()
  for (;;) {
    const status = await readSupervisor(folders, signal)
    const waited = clock.now().getTime() - began
    if (status?.phase === 'ready') return status
    if (status?.phase === 'failed') {
      await stopSupervisor(folders).catch(() => undefined)
      throw new CliProblem(
        EXIT.failed,
        'cli.not-started',
        status.problem ?? 'Kalnet could not be started.',
        status.next ?? `Read ${join(folders.data, 'logs')}.`,
      )
    }
    // It ended at once, and not because another `up` was quicker.
    if (!status && ended() && !liveRecord(folders)) throw await endedAtOnce(it)
    if (waited > READY_MS || (!status && waited > 20_000 && !liveRecord(folders)))
      throw failed(
        `Kalnet was not ready within ${Math.round(waited / 1000)} seconds.`,
        `Read the logs in ${join(folders.data, 'logs')}.`,
      )
    const busy = status?.parts.find((part) => part.state !== 'running')
    if (busy) say(WORDS[busy.name])
    await clock.sleep(40, signal)
  }
}

/** Its last words for people: what is not a line of its structured log. */
async function endedAtOnce({ folders }: Context): Promise<CliProblem> {
  const file = join(folders.data, 'logs/supervisor.log')
  const lines = (await readFile(file, 'utf8').catch(() => '')).trim().split('\n')
  const said = lines.filter((line) => line !== '' && !line.startsWith('{')).slice(-2)
  const next = said.at(-1)?.startsWith('→ ') ? said.pop() : null
  return failed(said.at(-1) ?? 'The supervisor ended at once.', next?.slice(2) ?? `Read ${file}.`)
}

const WORDS = {
  database: 'the database',
  server: 'the control plane',
  controller: 'the controller of this machine',
} as const

/** The door to services may stay shut without the dashboard: said, and Kalnet starts. */
export async function sayTaken(
  { gateway, listen, tls }: Config,
  output: Pick<Context['output'], 'note'>,
): Promise<void> {
  if (!gateway.enabled) return
  const ports = {
    KALNET_GATEWAY_HTTP_PORT: gateway.httpPort,
    ...(tls.enabled && { KALNET_GATEWAY_HTTPS_PORT: gateway.httpsPort }),
  }
  for (const [variable, port] of Object.entries(ports)) {
    if (port === listen.port) continue
    const taken = await portTaken(gateway.host ?? listen.host, port)
    if (!taken) continue
    const { message, next } = taken.body('').error
    output.note(`${message} Services have no address there until then. ${next} (${variable})`)
  }
}

/** Checked before anything is started, so that the reason is told at once and by name. */
async function freePort(host: string, port: number): Promise<void> {
  const problem = await tryPort(host, port)
  if (problem === null) return
  if (problem === 'EADDRINUSE') {
    const holder = (await whoListens(port)) ?? 'another program'
    const free = (await freePortNear(host, port)) ?? 'none near it'
    const { code, message, next } = fail('port.taken', {
      port,
      holder,
      free: `kalnet up --port ${free}`,
    }).body('').error
    throw new CliProblem(EXIT.refused, code, message, next)
  }
  if (problem === 'EACCES')
    throw refused(
      `This user may not listen on port ${port}.`,
      'Choose a port above 1023: kalnet up --port 7400',
    )
  throw refused(`${host} is not an address of this machine (${problem}).`, 'Choose another with --host.')
}
