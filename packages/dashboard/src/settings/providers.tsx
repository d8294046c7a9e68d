/** Identity providers people may sign in with: the list, and the way to add one. */
import { useQuery } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import css from '../providers/providers.module.css'
import { providersQuery } from '../providers/queries.ts'
import { ProviderRow } from '../providers/row.tsx'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Frame } from './frame.tsx'

const AddProvider = later(() => import('../providers/add.tsx'))

export default function ProvidersPage() {
  const { data, error, isPending, refetch } = useQuery(providersQuery)
  const [adding, setAdding] = useState(false)
  const add = (
    <Button look="primary" icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
      {m.providerAdd}
    </Button>
  )
  const some = data && data.items.length > 0
  return (
    <Frame
      here="providers"
      title={m.settingsProviders}
      text={m.providersText}
      action={some ? add : undefined}
    >
      <div className={css.section}>
        {isPending && (
          <div aria-busy="true">
            <Skeleton height="72px" />
          </div>
        )}
        {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
        {data?.items.length === 0 && (
          <Empty
            icon={<KeyRound aria-hidden />}
            title={m.providersEmpty}
            text={m.providersEmptyText}
            next={add}
          />
        )}
        {some && (
          <ul className={css.list}>
            {data.items.map((provider) => (
              <ProviderRow key={provider.id} provider={provider} />
            ))}
          </ul>
        )}
      </div>
      {adding && <AddProvider onClose={() => setAdding(false)} />}
    </Frame>
  )
}
