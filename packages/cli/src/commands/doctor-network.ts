/** `kalnet doctor network`: every address asked through the entry point, pass or fail with the cause. */

import { type GatewayRoute, gatewayRoutes } from '@kalnet/contracts/gateway'
import { readIfThere } from '@kalnet/io/files'
import { authorityFile } from '@kalnet/server/core/tls'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { askRoute, type Entry, type Found } from '../host/doctor-network.ts'
import { table } from '../output.ts'
import { EXIT, usage } from '../problem.ts'
import { readConfig } from '../settings.ts'
import { wayInLine } from '../way-in.ts'
import { everything } from './people-found.ts'

const AT_ONCE = 8
const MARK = { pass: '✓', fail: '✗', unknown: '?' } as const

interface Flags {
  at?: string
  httpPort?: string
  httpsPort?: string
}

const portOf = (text: string | undefined, otherwise: number): number => {
  const port = text === undefined ? otherwise : Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw usage(`${text} is not a port.`, 'Give a number from 1 to 65535.')
  return port
}

/** The entry point as this machine reaches it. */
async function entryOf(
  { folders, env }: Context,
  flags: Flags,
  routes: readonly GatewayRoute[],
): Promise<Entry> {
  const { gateway, listen, tls } = await readConfig({ folders, env, flags: {} })
  const host = flags.at ?? gateway.host ?? listen.host
  // Started with `--lan` the file need not say so; the addresses do.
  const wantsTls =
    tls.enabled || flags.httpsPort !== undefined || routes.some(({ url }) => url?.startsWith('https:'))
  return {
    host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
    httpPort: portOf(flags.httpPort, gateway.httpPort),
    httpsPort: wantsTls ? portOf(flags.httpsPort, gateway.httpsPort) : null,
    authority: await readIfThere(authorityFile(folders.config)),
  }
}

async function askAll(it: Context, entry: Entry, routes: readonly GatewayRoute[]): Promise<Found[]> {
  const found: Found[] = []
  const left = routes.entries()
  const work = async () => {
    for (const [at, route] of left) found[at] = await askRoute(entry, route, it.signal)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return found
}

export const addDoctorNetwork = (doctor: Command, context: () => Context): void => {
  doctor
    .command('network')
    .description('ask every address through the entry point, with its certificate checked')
    .option('--at <address>', 'where the entry point is (default: where the gateway listens)')
    .option('--http-port <port>', 'its port for http')
    .option('--https-port <port>', 'its port for https')
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet doctor network\n  kalnet doctor network --at 192.168.1.5 --https-port 443\n  kalnet doctor network --json',
    )
    .action(async (flags: Flags) => {
      const it = context()
      const routes = await everything<GatewayRoute>((after) =>
        it.api.call(gatewayRoutes.list, { query: { after, limit: 200 } }),
      )
      const entry = await entryOf(it, flags, routes)
      const found = await askAll(it, entry, routes)
      const { problems } = await it.api.call(gatewayRoutes.figures)
      const failed = found.filter(({ state }) => state === 'fail').length
      const rows = found.map((one) => [
        MARK[one.state],
        one.address,
        one.service,
        one.tookMs === null ? '' : `${one.tookMs} ms`,
        one.detail,
      ])
      const wrong = problems.map(wayInLine)
      // That names are not said is told; every address may be reached all the same.
      const shut = problems.some(({ part }) => part === 'gateway')
      const end =
        failed > 0
          ? `${failed} of ${found.length} cannot be reached.`
          : shut
            ? 'The way in has trouble; it is said above.'
            : 'Every address is reached as it should be.'
      it.output.result(
        found.length === 0
          ? [...wrong, 'No address leads anywhere yet. Install a service: kalnet service install site']
          : [...table(['', 'address', 'service', 'took', ''], rows), '', ...wrong, end],
        {
          ok: failed === 0 && !shut,
          problems,
          entry: { ...entry, authority: entry.authority !== null },
          routes: found,
        },
      )
      if (failed > 0 || shut) it.exit.code = EXIT.refused
    })
}
