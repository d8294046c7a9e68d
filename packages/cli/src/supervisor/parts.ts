/** The three parts and how each is started: PostgreSQL, the server, the controller of this machine. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '@kalnet/contracts/config'
import { localRoutes } from '@kalnet/contracts/local'
import { readIfThere } from '@kalnet/io/files'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import { startPostgres } from '@kalnet/server/core/postgres/postgres'
import { createApi } from '../api.ts'
import { controlSocket } from '../sockets.ts'
import { startChild } from './child.ts'
import type { Part } from './part.ts'

export interface PartsOptions {
  folders: Folders
  config: Config
  /** Flags of `up`, handed on to the server so that both read one configuration. */
  flags: readonly string[]
  env: NodeJS.ProcessEnv
  log: Log
}

export function createParts(options: PartsOptions): { parts: Part[]; url: () => string | null } {
  const { folders, config, env, log } = options
  const logs = join(folders.data, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  let url: string | null = null
  let databaseUrl = config.database.url ?? null

  const database: Part = {
    name: 'database',
    async start(signal) {
      const postgres = await startPostgres({
        dataFolder: folders.data,
        runtimeFolder: folders.runtime,
        log,
        system: config.database.system === true,
        signal,
      })
      databaseUrl = postgres.url
      if (signal.aborted) await postgres.stop()
      signal.throwIfAborted()
      const ended = postgres.exited.then(({ code, signal: by }) =>
        by ? `it was ended by ${by}` : `it ended with code ${code}`,
      )
      return { pid: postgres.pid, ended, stop: () => postgres.stop() }
    },
  }
  const server: Part = {
    name: 'server',
    start: (signal) =>
      startChild(
        {
          args: ['serve', ...options.flags],
          env: { ...env, ...(databaseUrl ? { KALNET_DATABASE_URL: databaseUrl } : {}) },
          logFile: join(logs, 'server.log'),
          readyWithinMs: 60_000,
          graceMs: 15_000,
          onReady: (told) => {
            url = told
          },
        },
        signal,
      ),
  }
  const controller: Part = {
    name: 'controller',
    async start(signal) {
      return startChild(
        {
          args: ['controller', '--join', localUrl(config), ...authority(folders, config)],
          env: { ...env, ...(await joinToken(folders, signal)) },
          logFile: join(logs, 'controller.log'),
          readyWithinMs: 60_000,
          graceMs: 15_000,
          onReady: () => undefined,
        },
        signal,
      )
    },
  }
  return {
    parts: config.database.url ? [server, controller] : [database, server, controller],
    url: () => url,
  }
}

/** The address of the control plane on this machine. */
export const localUrl = (config: Config): string => {
  const host =
    config.listen.host === '0.0.0.0' || config.listen.host === '::' ? '127.0.0.1' : config.listen.host
  return `${config.tls.enabled ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${config.listen.port}`
}

const authority = (folders: Folders, config: Config): string[] =>
  config.tls.enabled ? ['--ca-file', join(folders.config, 'ca/authority.crt')] : []

/** One-use, for the first start of this machine's controller only; in the environment, because arguments are seen by everybody. */
async function joinToken(
  folders: Folders,
  signal: AbortSignal,
): Promise<{ KALNET_CONTROLLER_TOKEN?: string }> {
  const identity = await readIfThere(join(folders.data, 'controller', 'identity.json'))
  if (identity && JSON.parse(identity).controllerId) return {}
  const { token } = await createApi(controlSocket(folders)).call(localRoutes.controllerToken, {
    body: { name: 'this machine' },
    signal,
  })
  return { KALNET_CONTROLLER_TOKEN: token }
}
