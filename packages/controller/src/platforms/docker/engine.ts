/** The way to the Docker engine: the protocol version both sides know, limits on every answer, and its refusals told apart. */
import Docker from 'dockerode'

/** The newest engine API this platform was written against; an older engine's own is taken instead. */
const NEWEST_API = '1.51'
const ANSWER_MS = 60_000

const isOlder = (left: string, right: string): boolean => {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number)
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number)
  return leftMajor < rightMajor || (leftMajor === rightMajor && leftMinor < rightMinor)
}

/** The lower of the two. */
export const negotiated = (engine: string): string => (isOlder(engine, NEWEST_API) ? engine : NEWEST_API)

/** The engine's answer code, or null when it did not answer at all. */
export const statusOf = (error: unknown): number | null => {
  const code = (error as { statusCode?: unknown } | null)?.statusCode
  return typeof code === 'number' ? code : null
}

export interface Engine {
  /** A client that speaks the negotiated version. Rejects while the engine cannot be reached. */
  client(): Promise<Docker>
  /** For streams that are silent for long. */
  patient(): Promise<Docker>
  /** Asked again at the next call: the engine may have been replaced by another version. */
  forget(): void
}

export function createEngine(socketPath = '/var/run/docker.sock'): Engine {
  let version: Promise<string> | null = null
  const api = () => {
    version ??= new Docker({ socketPath, timeout: ANSWER_MS })
      .version()
      .then((it) => `v${negotiated(it.ApiVersion)}`)
      .catch((error) => {
        version = null
        throw error
      })
    return version
  }
  return {
    async client() {
      return new Docker({ socketPath, version: await api(), timeout: ANSWER_MS })
    },
    async patient() {
      return new Docker({ socketPath, version: await api() })
    },
    forget() {
      version = null
    },
  }
}
