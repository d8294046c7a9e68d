/** Launch: the catalog. Search first, one click starts, details on the side. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import { useQuery } from '@tanstack/react-query'
import { PackageOpen, SearchX } from 'lucide-react'
import { useState } from 'react'
import { Group } from 'react-aria-components/Group'
import { useSearchParams } from 'wouter'
import * as m from '../messages/index.ts'
import { may, templatesQuery, useMe } from '../queries.ts'
import { useLaunch } from '../sessions/actions.ts'
import { useTitle } from '../shell/use-title.ts'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Search } from '../ui/search.tsx'
import { Entry } from './entry.tsx'
import css from './launch.module.css'
import { CATEGORY_WORDS, find, mustAsk } from './words.ts'

const Details = later(() => import('./details.tsx'))
const Install = later(() => import('../services/install.tsx'))
type Category = CatalogEntry['category']
/** All, all that are services, or those of one kind. */
type Show = Category | 'services' | null
const showWords = (show: Show) =>
  show === null ? m.categoryAll : show === 'services' ? m.launchServices : CATEGORY_WORDS[show]
const belongs = (entry: CatalogEntry, show: Show) =>
  show === null || (show === 'services' ? entry.kind === 'service' : entry.category === show)

const Waiting = () => (
  <div className={css.grid} aria-busy="true">
    {[0, 1, 2, 3, 4, 5].map((at) => (
      <Skeleton key={at} height="150px" />
    ))}
  </div>
)

export default function Launch() {
  useTitle(m.launchTitle)
  const { data, error, refetch, isPending } = useQuery(templatesQuery)
  const me = useMe()
  const [asked, setAsked] = useSearchParams()
  const [text, setText] = useState('')
  const [category, setCategory] = useState<Show>(asked.get('show') === 'services' ? 'services' : null)
  const [opened, setShown] = useState<CatalogEntry | null>(null)
  const launch = useLaunch()

  // What somebody may not start is not offered.
  const entries = (data?.items ?? []).filter((it) =>
    may(me, it.kind === 'service' ? 'service.manage' : 'session.launch'),
  )
  const wanted = asked.get('add')
  const shown = opened ?? (wanted ? (entries.find((it) => it.id === wanted) ?? null) : null)
  const categories = (Object.keys(CATEGORY_WORDS) as Category[]).filter((it) =>
    entries.some((entry) => entry.category === it),
  )
  // Searching looks everywhere: a chosen category must not hide what was asked for.
  const found = text.trim() ? find(entries, text) : entries.filter((it) => belongs(it, category))
  const services = entries.some((it) => it.kind === 'service') && entries.some((it) => it.kind === 'session')
  const start = (entry: CatalogEntry) =>
    entry.kind === 'service' || mustAsk(entry) ? setShown(entry) : launch.mutate({ templateId: entry.id })
  const clear = () => {
    setText('')
    setCategory(null)
  }
  const close = () => {
    setShown(null)
    if (wanted) setAsked({}, { replace: true })
  }

  return (
    <div className={css.page}>
      <header className={css.head}>
        <div>
          <h1>{m.launchTitle}</h1>
          <p className={css.sub}>{m.launchText}</p>
        </div>
        <div className={css.search}>
          <Search
            label={m.launchSearch}
            value={text}
            onChange={setText}
            onSubmit={() => text.trim() && found[0] && start(found[0])}
          />
        </div>
      </header>
      {categories.length > 1 && (
        <Group aria-label={m.categories} className={css.chips}>
          {[null, ...(services ? (['services'] as const) : []), ...categories].map((it) => (
            <button
              key={it ?? 'all'}
              type="button"
              className={css.chip}
              aria-pressed={!text.trim() && category === it}
              onClick={() => {
                setText('')
                setCategory(it)
              }}
            >
              {showWords(it)}
            </button>
          ))}
        </Group>
      )}
      {isPending && <Waiting />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {found.length > 0 && (
        <ul className={css.grid} aria-label={m.launchTitle}>
          {found.map((entry) => (
            <Entry
              key={entry.id}
              entry={entry}
              busy={launch.isPending && launch.variables.templateId === entry.id}
              onStart={() => start(entry)}
              onDetails={() => setShown(entry)}
            />
          ))}
        </ul>
      )}
      {data && entries.length === 0 && (
        <Empty icon={<PackageOpen aria-hidden />} title={m.launchEmpty} text={m.launchEmptyText} />
      )}
      {entries.length > 0 && found.length === 0 && (
        <Empty
          icon={<SearchX aria-hidden />}
          title={m.launchNothing}
          text={m.launchNothingText(text)}
          next={<Button onPress={clear}>{m.launchClear}</Button>}
        />
      )}
      {data && data.problems.length > 0 && (
        <details className={css.problems}>
          <summary>{m.catalogProblems(data.problems.length)}</summary>
          <ul>
            {data.problems.map((it) => (
              <li key={it.file}>
                <code>{it.file}</code>
                {it.problem}
              </li>
            ))}
          </ul>
        </details>
      )}
      {shown?.kind === 'service' && <Install key={shown.id} entry={shown} onClose={close} />}
      {shown && shown.kind !== 'service' && <Details key={shown.id} entry={shown} onClose={close} />}
    </div>
  )
}
