/** Structured log on standard error; what is secret is never printed. */
import { pino, stdSerializers } from 'pino'

export type Log = Pick<ReturnType<typeof pino>, 'debug' | 'info' | 'warn' | 'error' | 'child'>

const SECRET = ['password', 'token', 'ticket', 'secret', 'cookie', 'authorization', 'signature', 'privateKey']
const paths = SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

export function createLog(name: string, level: 'debug' | 'info' | 'warn' | 'error' | 'silent' = 'info'): Log {
  const serializers = { error: stdSerializers.err }
  return pino(
    { name, level, serializers, redact: { paths, censor: '[secret]' }, base: { name } },
    process.stderr,
  )
}
