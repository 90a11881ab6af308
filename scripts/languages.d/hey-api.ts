// The client of @hey-api/openapi-ts: list models, submit, poll, and tell errors apart.
import { client } from "./generated/hey-api/client.gen";
import { getResult, listModels, submitTask } from "./generated/hey-api";
import type { Prediction } from "./generated/hey-api";

client.setConfig({ baseUrl: "https://api.wavespeed.ai", auth: "key" });

export async function cheapest(): Promise<string | undefined> {
  const { data, error } = await listModels();
  if (error !== undefined) {
    throw new Error(error.message ?? "refused");
  }
  let found: string | undefined;
  let price = Infinity;
  for (const model of data.data ?? []) {
    if (typeof model?.base_price === "number" && model.base_price < price) {
      [found, price] = [model.model_id, model.base_price];
    }
  }
  return found;
}

export async function submit(prompt: string): Promise<Prediction> {
  const { data, error, response } = await submitTask({
    path: { provider: "wavespeed-ai", model: "flux-dev" },
    query: { webhook: "https://example.com/hook" },
    body: { prompt, seed: 7 },
  });
  if (error !== undefined) {
    throw new Error(`${response?.status}: ${error.message ?? ""}`);
  }
  return data.data;
}

export async function outputs(id: string): Promise<string[]> {
  for (;;) {
    const { data, error } = await getResult({ path: { prediction_id: id } });
    if (error !== undefined) {
      throw new Error(error.message ?? "refused");
    }
    const task = data.data;
    switch (task.status) {
      case "completed":
        return (task.outputs ?? []).filter((output) => typeof output === "string");
      case "failed":
        throw new Error(task.error ?? "failed");
      default:
        await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
