/** Writes a new template beside the others: whole or not at all, and never over what is there. */
import { lstat, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { slug } from '@kalnet/contracts/basics'
import { refused, usage } from '../problem.ts'
import { makeSkeleton, type Wishes } from './skeleton.ts'

const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )

/** Answers the files written, from the catalog's folder. */
export async function writeTemplate(catalog: string, wishes: Wishes): Promise<string[]> {
  const { id } = wishes
  if (!slug.safeParse(id).success)
    throw usage(
      `${id} cannot be the id of a template.`,
      'Use lower-case letters, digits and dashes, such as my-paint; at most 63.',
    )
  const made = makeSkeleton(wishes)
  if ('problems' in made)
    throw usage(
      `This would not be a valid template: ${made.problems.join('; ')}.`,
      'See `kalnet templates new --help`.',
    )
  const parts = [`images/${id}`, `templates/${id}`] as const
  for (const part of parts)
    if (await isThere(join(catalog, part)))
      throw refused(
        `${join(catalog, part)} is already there; nothing was changed.`,
        'Take another id, or edit what is there.',
      )
  // Made aside and renamed: a running Kalnet sees it whole. The recipe first, because the template needs it.
  const stage = await mkdtemp(join(catalog, '.new-'))
  try {
    for (const part of parts) await mkdir(join(stage, part), { recursive: true })
    const files = {
      [`images/${id}/recipe.yaml`]: made.recipe,
      [`templates/${id}/template.yaml`]: made.template,
      [`templates/${id}/icon.svg`]: made.icon,
    }
    for (const [file, text] of Object.entries(files)) await writeFile(join(stage, file), text, { flag: 'wx' })
    for (const part of parts) {
      await mkdir(join(catalog, part, '..'), { recursive: true })
      await rename(join(stage, part), join(catalog, part))
    }
    return Object.keys(files)
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}
