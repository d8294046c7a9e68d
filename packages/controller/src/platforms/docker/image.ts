/** Brings an image into the engine: one of ours by its layers, somebody else's by its name. */
import type { ImageSource, Progress } from '@kalnet/contracts/instance'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { start } from '@kalnet/io/spawn'
import { z } from 'zod'
import { referenceOf } from '../../images/described.ts'
import type { Images } from '../../images/images.ts'
import { exportImage } from '../../images/layers.ts'
import { createKeyedMutex } from '../mutex.ts'
import { type Engine, statusOf } from './engine.ts'

type Say = (it: Progress) => void

const pullLine = z.object({
  status: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
})

/** Reads the engine's lines of JSON to the end; an error among them throws. */
async function followLines(
  stream: NodeJS.ReadableStream,
  say: (it: z.infer<typeof pullLine>) => void,
): Promise<void> {
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.filter((it) => it.trim())) {
      const told = pullLine.safeParse(JSON.parse(line))
      if (!told.success) continue
      if (told.data.error) throw new Error(told.data.error)
      say(told.data)
    }
  }
}

/** Names that an image has for one installation alone. As long as one is left, somebody needs the image: the engine counts for us. */
export const ownNames = (installation: string) => `kalnet-${installation}/`

/** What every image of ours is called, whoever brought it: `kalnet/terminal:…`, for one installation `kalnet-…/terminal:…`. */
const ownName = (installation: string, reference: string) =>
  ownNames(installation) + reference.slice(reference.indexOf('/') + 1)

export function createImageLoader(engine: Engine, images: Images, installation: string) {
  /** Two loads of one image would do the work twice. */
  const oneAtATime = createKeyedMutex()

  async function isThere(reference: string): Promise<boolean> {
    try {
      await (await engine.client()).getImage(reference).inspect()
      return true
    } catch (error) {
      if (statusOf(error) === 404) return false
      throw error
    }
  }

  async function load(chain: RecipeChain, signal: AbortSignal, say: Say): Promise<void> {
    const exported = await exportImage(images, chain, signal, (it) => say({ step: 'image', ...it }))
    try {
      say({ step: 'image', text: 'Handing the image to the engine', share: 0.96 })
      const pack = start('tar', ['--create', '--file=-', `--directory=${exported.folder}`, '.'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      if (!pack.stdout) throw new Error('the image could not be packed')
      const onAbort = () => pack.kill('SIGKILL')
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        const answer = await (await engine.patient()).loadImage(pack.stdout, { quiet: true })
        await followLines(answer, () => undefined)
      } finally {
        signal.removeEventListener('abort', onAbort)
        pack.kill('SIGKILL')
      }
      signal.throwIfAborted()
    } finally {
      await exported.drop()
    }
  }

  async function pull(reference: string, signal: AbortSignal, say: Say): Promise<void> {
    const stream = await (await engine.patient()).pull(reference, { abortSignal: signal })
    await followLines(stream, (it) => {
      const { current, total } = it.progressDetail ?? {}
      say({
        step: 'image',
        text: (it.status ?? 'Fetching').slice(0, 200),
        share: current && total ? current / total : null,
      })
    })
  }

  /** False when it went away meanwhile: another installation that held it alone was purged. */
  async function claim(reference: string, own: string): Promise<boolean> {
    const [repo = '', tag = ''] = own.split(':')
    try {
      await (await engine.client()).getImage(reference).tag({ repo, tag })
      return true
    } catch (error) {
      if (statusOf(error) === 404) return false
      throw error
    }
  }

  async function ensureOurs(chain: RecipeChain, signal: AbortSignal, say: Say): Promise<string> {
    const reference = referenceOf(chain)
    const own = ownName(installation, reference)
    if (await isThere(own)) return own
    return oneAtATime(reference, async () => {
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        signal.throwIfAborted()
        if ((await isThere(own)) || (await claim(reference, own))) return own
        await load(chain, signal, say)
      }
      if (await claim(reference, own)) return own
      throw new Error('the engine does not keep the image')
    })
  }

  /** Answers the name under which the engine has it. Same image twice: nothing happens. */
  return async function ensureImage(source: ImageSource, signal: AbortSignal, say: Say): Promise<string> {
    if ('recipe' in source) return ensureOurs(source.recipe, signal, say)
    const { reference } = source
    if (await isThere(reference)) return reference
    return oneAtATime(reference, async () => {
      signal.throwIfAborted()
      if (!(await isThere(reference))) await pull(reference, signal, say)
      return reference
    })
  }
}
