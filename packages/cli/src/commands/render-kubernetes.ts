/** `kalnet render --kubernetes`: the manifests for a cluster, from values as the chart takes them. */
import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { parse } from 'yaml'
import { ZodError } from 'zod'
import type { Context } from '../context.ts'
import { usage } from '../problem.ts'

export interface ClusterFlags {
  to?: string
  print?: boolean
  values?: string
  name?: string
  namespace?: string
}

const LABEL = /^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$/

async function valuesOf(file: string | undefined): Promise<unknown> {
  if (file === undefined) return {}
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usage(`${file} cannot be read: ${error.code ?? error.message}.`)
  })
  try {
    return parse(text) ?? {}
  } catch (error) {
    throw usage(
      `${file} is not YAML: ${error instanceof Error ? error.message.split('\n')[0] : 'unreadable'}.`,
    )
  }
}

export async function renderCluster(it: Context, flags: ClusterFlags): Promise<void> {
  const { name = 'kalnet', namespace = 'kalnet' } = flags
  for (const [what, given] of Object.entries({ name, namespace }))
    if (!LABEL.test(given)) throw usage(`${given} is no ${what}.`, 'Lower-case letters, digits and dashes.')
  const { plainFile } = await import('../render/kubernetes/plain.ts')
  const values = await valuesOf(flags.values)
  let content: string
  try {
    content = plainFile(values, { name, namespace })
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    const words = error.issues.map(({ path, message }) => `${path.join('.') || 'values'}: ${message}`)
    throw usage(
      `These values cannot be used: ${words.join('; ')}.`,
      'docs/kubernetes-install.md lists them all.',
    )
  }
  if (flags.print) return it.output.result(content.trimEnd(), { manifests: content })
  const folder = resolve(flags.to ?? 'deploy/kubernetes')
  const path = join(folder, 'kalnet.yaml')
  const changed = (await readIfThere(path)) !== content
  await mkdir(folder, { recursive: true })
  if (changed) await writeWhole(path, content, 0o644)
  it.output.result(`${changed ? 'written  ' : 'as it was'}  ${path}`, { folder, files: [{ path, changed }] })
}
