/** Removes a service: what it kept stays or goes, and what goes is named and confirmed. */
import type { Service } from '@kalnet/contracts/service'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { call, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './page.module.css'

/** Says so and leads back to the list. Shared with what is only taken off the list. */
export function useRemove(service: Service, data: 'keep' | 'remove') {
  const [, go] = useLocation()
  return useMutation({
    mutationFn: () => call(ROUTES.services.remove, { params: { id: service.id }, query: { data } }),
    onSuccess: () => {
      toast({ tone: 'good', text: m.serviceRemoved(service.title) })
      go('/services', { replace: true })
      applyEvent(queryClient, 'service.removed', { id: service.id })
      void queryClient.invalidateQueries({ queryKey: ['routes'] })
    },
  })
}

export default function Remove({ service, onClose }: { service: Service; onClose: () => void }) {
  const [data, setData] = useState<'keep' | 'remove'>('keep')
  const [word, setWord] = useState('')
  const remove = useRemove(service, data)
  const meant = data === 'keep' || word.trim() === service.name
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (meant) remove.mutate()
  }
  return (
    <Dialog title={m.serviceRemoveTitle(service.title)} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {remove.error && <ErrorBox problem={remove.error} />}
        <Pick
          label={m.serviceRemoveData}
          value={data}
          options={[
            { value: 'keep', label: m.serviceKeepData, more: m.serviceKeepDataMore },
            { value: 'remove', label: m.serviceDropData, more: m.serviceDropDataMore },
          ]}
          onChange={setData}
        />
        {data === 'remove' && (
          <Field
            label={m.serviceRemoveType(service.name)}
            autoComplete="off"
            value={word}
            onChange={setWord}
          />
        )}
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="danger" isDisabled={!meant} isPending={remove.isPending}>
            {data === 'keep' ? m.serviceRemoveKeep : m.serviceRemoveAll}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
