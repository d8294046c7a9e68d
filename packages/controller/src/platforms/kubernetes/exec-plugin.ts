/** Programs of others that say who we are (client.authentication.k8s.io): named in a kubeconfig, run when what they said last is over. */
import { run } from '@kalnet/io/spawn'
import { z } from 'zod'
import { lastLineOf } from '../reasons.ts'

/** What a kubeconfig says of one (`users[].user.exec`). */
export const execPlugin = z.object({
  apiVersion: z.string().max(100).default('client.authentication.k8s.io/v1'),
  command: z.string().min(1).max(4096),
  args: z
    .array(z.string())
    .nullish()
    .transform((it) => it ?? []),
  env: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .nullish()
    .transform((it) => it ?? []),
})
export type ExecPlugin = z.infer<typeof execPlugin>

const credential = z.object({
  status: z
    .object({
      token: z.string().min(1).optional(),
      clientCertificateData: z.string().optional(),
      clientKeyData: z.string().optional(),
      expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
    })
    .refine((it) => it.token || (it.clientCertificateData && it.clientKeyData)),
})
export type Credential = z.infer<typeof credential>['status']

const LIMIT_MS = 30_000
/** Asked for anew before it is over. */
const AHEAD_MS = 10_000

export const isOver = ({ expirationTimestamp }: Credential, now: number): boolean =>
  Boolean(expirationTimestamp) && Date.parse(expirationTimestamp ?? '') - AHEAD_MS <= now

/** Throws a sentence that names the program. */
export async function askPlugin(plugin: ExecPlugin, cwd: string): Promise<Credential> {
  const { command, args, env, apiVersion } = plugin
  const wanted = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } }
  const named = Object.fromEntries(env.map(({ name, value }) => [name, value]))
  const about = `The program ${command} that the kubeconfig names`
  const { code, stdout, stderr } = await run(command, args, {
    env: { ...process.env, ...named, KUBERNETES_EXEC_INFO: JSON.stringify(wanted) },
    cwd,
    timeoutMs: LIMIT_MS,
  }).catch((error: NodeJS.ErrnoException) => {
    const problem = error.code === 'ENOENT' ? 'is not on this machine' : `cannot be run (${error.message})`
    throw new Error(`${about} ${problem}`, { cause: error })
  })
  if (code !== 0) throw new Error(`${about} failed: ${lastLineOf(stderr) || `code ${code}`}`)
  try {
    return credential.parse(JSON.parse(stdout)).status
  } catch (error) {
    throw new Error(`${about} answered nothing that signs in to a cluster`, { cause: error })
  }
}
