/** `kalnet images push`: brings images into a registry, for clusters; prints what they are called there, by sum. */
import { readFile, stat } from 'node:fs/promises'
import { createRegistryImages } from '@kalnet/controller/images/oci/push'
import { type Pushed, RegistryProblem } from '@kalnet/controller/images/oci/pushed'
import { type ImageRegistry, imageRegistry } from '@kalnet/controller/images/oci/settings'
import type { AddCommand, Context } from '../context.ts'
import { size } from '../output.ts'
import { failed, refused, usage } from '../problem.ts'
import { knownRecipes, openImages, wantedRecipes } from './images-found.ts'

interface Flags {
  registry?: string
  all?: boolean
  credentials?: string
  ca?: string
}

export const addPush: AddCommand = (images, context) => {
  images
    .command('push')
    .description('build what is missing and bring it into a registry, for clusters to run from')
    .argument('[recipe...]', 'recipes or templates')
    .option('--all', 'those of every template')
    .option(
      '--registry <url>',
      'its address, with what stands before the names: https://registry.example.com/kalnet',
    )
    .option('--credentials <file>', 'a file with user:password in one line, readable by you alone')
    .option('--ca <file>', 'PEM of the authority that its certificate is from')
    .addHelpText(
      'after',
      `
KALNET_REGISTRY, or KALNET_REGISTRY_USER and KALNET_REGISTRY_PASSWORD, stand for what is not given. A password is never a word of the command line.
Only what the registry does not have is sent. http is for registries on this machine.

Examples:
  kalnet images push terminal --registry https://registry.example.com/kalnet --credentials ~/.registry
  kalnet images push --all --registry http://127.0.0.1:5000 --json`,
    )
    .action(async (wanted: string[], flags: Flags) => push(context(), wanted, flags))
}

const PREFIX = 'kalnet'

async function credentialsOf(it: Context, flags: Flags): Promise<ImageRegistry['credentials']> {
  const { KALNET_REGISTRY_USER: user, KALNET_REGISTRY_PASSWORD: password } = it.env
  if (flags.credentials === undefined) {
    if (Boolean(user) !== Boolean(password))
      throw usage(
        'KALNET_REGISTRY_USER and KALNET_REGISTRY_PASSWORD belong together.',
        'Set both, or neither.',
      )
    return user && password ? { user, password } : null
  }
  const file = flags.credentials
  const found = await stat(file).catch(() => null)
  if (!found?.isFile()) throw usage(`There is no file ${file}.`, 'It holds user:password in one line.')
  if ((found.mode & 0o077) !== 0)
    throw refused(`Others on this machine can read ${file}.`, `chmod 600 ${file}`)
  const line = (await readFile(file, 'utf8')).split('\n')[0]?.trim() ?? ''
  const at = line.indexOf(':')
  if (at < 1 || at === line.length - 1)
    throw usage(`${file} does not hold user:password.`, 'One line, with a colon between the two.')
  return { user: line.slice(0, at), password: line.slice(at + 1) }
}

/** The address as people give it: host, port, and a path that stands before the names of images. */
async function registryOf(it: Context, flags: Flags): Promise<ImageRegistry> {
  const given = flags.registry ?? it.env.KALNET_REGISTRY
  const example = 'For example --registry https://registry.example.com/kalnet.'
  if (!given) throw usage('Which registry?', example)
  const text = given.includes('://') ? given : `https://${given}`
  if (!URL.canParse(text)) throw usage(`${given} is not the address of a registry.`, example)
  const url = new URL(text)
  const repositoryPrefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '') || PREFIX
  url.pathname = '/'
  const ca = flags.ca === undefined ? undefined : await readFile(flags.ca, 'utf8')
  const credentials = await credentialsOf(it, flags)
  const parsed = imageRegistry.safeParse({ url: url.href, repositoryPrefix, credentials, ca })
  if (parsed.success) return parsed.data
  throw usage(`The registry's address ${parsed.error.issues[0]?.message ?? 'cannot be used'}.`, example)
}

const words = ({ blobs, sentBytes }: Pushed): string =>
  blobs.sent === 0 ? 'there already' : `${size(sentBytes)} sent`

async function push(it: Context, wanted: string[], flags: Flags): Promise<void> {
  if ((wanted.length === 0) !== (flags.all === true))
    throw usage('Name recipes or templates, or say --all.', 'See `kalnet images list`.')
  const recipes = wantedRecipes(await knownRecipes(), wanted)
  const registry = await registryOf(it, flags)
  const { ensurePushed, close } = createRegistryImages({ images: openImages(it), clock: it.clock })
  const items: ({ name: string } & Pushed)[] = []
  try {
    for (const [name, chain] of recipes)
      items.push({
        name,
        ...(await it.output.step(`Pushing ${name}`, (say) =>
          ensurePushed({
            chain,
            registry,
            signal: it.signal,
            prefer: 'here',
            say: ({ text, share }) => say(`${text} (${Math.round((share ?? 0) * 100)} %)`),
          }),
        )),
      })
  } catch (error) {
    throw error instanceof RegistryProblem ? problemOf(error, items.length) : error
  } finally {
    await close()
  }
  it.output.result(
    items.map((one) => `${one.reference}  (${words(one)})`),
    { items },
  )
}

function problemOf(error: RegistryProblem, done: number): Error {
  const before = done > 0 ? `${done} before it ${done === 1 ? 'is' : 'are'} there. ` : ''
  return error.kind === 'refused'
    ? refused(error.message, `${before}Look at the address, the credentials and their rights.`)
    : failed(error.message, `${before}The same command goes on where it ended.`, error)
}
