/** Where the page begins: styles in their order, the cache, the app. */
import './ui/layers.css'
import './ui/font.css'
import './ui/tokens.css'
import './ui/reset.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { reloadAfterUpdate } from './after-update.ts'
import { App } from './app.tsx'
import { queryClient } from './queries.ts'

reloadAfterUpdate()
const root = document.getElementById('root')
if (!root) throw new Error('the page has no root')
createRoot(root).render(
  <QueryClientProvider client={queryClient}>
    <App />
  </QueryClientProvider>,
)
