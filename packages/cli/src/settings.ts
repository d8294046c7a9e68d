/** The listen flags that `up`, `serve` and the supervisor share, and the configuration they lead to. */
import { join } from 'node:path'
import type { Config } from '@kalnet/contracts/config'
import type { Folders } from '@kalnet/io/folders'
import { loadConfig } from '@kalnet/server/core/config'
import type { Command } from 'commander'

export interface ListenFlags {
  host?: string
  port?: string
  lan?: boolean
}

export const addListenFlags = (command: Command): Command =>
  command
    .option('--host <address>', 'address to listen on (default 127.0.0.1)')
    .option('--port <port>', 'port to listen on (default 7400)')
    .option('--lan', 'serve the home network over HTTPS by an authority of its own')

/** The same flags as words for a child. */
export const listenArguments = (flags: ListenFlags): string[] => [
  ...(flags.host === undefined ? [] : ['--host', flags.host]),
  ...(flags.port === undefined ? [] : ['--port', flags.port]),
  ...(flags.lan ? ['--lan'] : []),
]

export const configFile = (folders: Folders) => join(folders.config, 'kalnet.yaml')

/** Flags > environment > file > default. `--lan` listens everywhere unless an address is given. */
export async function readConfig(given: {
  folders: Folders
  env: NodeJS.ProcessEnv
  flags: ListenFlags
}): Promise<Config> {
  const { host, port, lan } = given.flags
  return loadConfig({
    file: configFile(given.folders),
    env: given.env,
    flags: {
      ...(host || lan ? { 'listen.host': host ?? '0.0.0.0' } : {}),
      ...(port ? { 'listen.port': port } : {}),
      ...(lan ? { 'tls.enabled': true } : {}),
    },
  })
}
