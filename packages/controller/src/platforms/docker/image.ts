/** Brings an image into the engine: one of ours by its layers, somebody else's by its name. */
import type { ImageSource, Progress } from '@kalnet/contracts/instance'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { start } from '@kalnet/io/spawn'
import { z } from 'zod'
import type { Images } from '../../images/images.ts'
import { exportImage, referenceOf } from '../../images/layers.ts'
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

export function createImageLoader(engine: Engine, images: Images) {
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

  /** Answers the name under which the engine has it. Same image twice: nothing happens. */
  return async function ensureImage(source: ImageSource, signal: AbortSignal, say: Say): Promise<string> {
    const reference = 'recipe' in source ? referenceOf(source.recipe) : source.reference
    if (await isThere(reference)) return reference
    return oneAtATime(reference, async () => {
      signal.throwIfAborted()
      if (await isThere(reference)) return reference
      if ('recipe' in source) await load(source.recipe, signal, say)
      else await pull(reference, signal, say)
      return reference
    })
  }
}
