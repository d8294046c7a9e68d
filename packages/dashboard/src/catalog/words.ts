/** Categories, platforms and searching, in the words of the catalog. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import type { PlatformName } from '@kalnet/contracts/instance'
import * as m from '../messages/index.ts'

export const CATEGORY_WORDS: Record<CatalogEntry['category'], string> = {
  browsers: m.categoryBrowsers,
  desktops: m.categoryDesktops,
  office: m.categoryOffice,
  development: m.categoryDevelopment,
  design: m.categoryDesign,
  media: m.categoryMedia,
  tools: m.categoryTools,
  websites: m.categoryWebsites,
  files: m.categoryFiles,
  chat: m.categoryChat,
  automation: m.categoryAutomation,
  games: m.categoryGames,
  home: m.categoryHome,
  network: m.categoryNetwork,
  databases: m.categoryDatabases,
}
export const PLATFORM_WORDS: Record<PlatformName, string> = {
  process: m.platformProcess,
  docker: m.platformDocker,
  kubernetes: m.platformKubernetes,
  fake: m.platformFake,
}
export const PLATFORM_HELP: Record<PlatformName, string> = {
  process: m.platformProcessHelp,
  docker: m.platformDockerHelp,
  kubernetes: m.platformKubernetesHelp,
  fake: m.platformFake,
}

/** How well an entry answers the words: 0 not at all; a name that begins with them is best. */
export function fits(
  entry: Pick<CatalogEntry, 'name' | 'summary' | 'keywords' | 'category'>,
  text: string,
): number {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const name = entry.name.toLowerCase()
  const rest = [entry.summary, CATEGORY_WORDS[entry.category], ...entry.keywords].join(' ').toLowerCase()
  let sum = 1
  for (const word of words) {
    if (name.startsWith(word)) sum += 4
    else if (name.includes(word)) sum += 3
    else if (rest.includes(word)) sum += 1
    else return 0
  }
  return sum
}

export function find<T extends Parameters<typeof fits>[0]>(entries: T[], text: string): T[] {
  return entries
    .map((entry) => ({ entry, rank: fits(entry, text) }))
    .filter(({ rank }) => rank > 0)
    .sort((one, other) => other.rank - one.rank)
    .map(({ entry }) => entry)
}

/** A launch asks first when the template has a needed answer that nobody gave yet. */
export const mustAsk = (entry: CatalogEntry) =>
  entry.inputs.some((input) => input.required && input.default === undefined)
