// The types of openapi-typescript with openapi-fetch: list models, submit, poll, and tell errors apart.
import createClient from "openapi-fetch";

import type { components, paths } from "./generated/schema";

type Prediction = components["schemas"]["Prediction"];

const api = createClient<paths>({
  baseUrl: "https://api.wavespeed.ai",
  headers: { Authorization: "Bearer key" },
});

export async function cheapest(): Promise<string | undefined> {
  const { data, error } = await api.GET("/api/v3/models");
  if (error) {
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
  const { data, error, response } = await api.POST("/api/v3/{provider}/{model}", {
    params: { path: { provider: "wavespeed-ai", model: "flux-dev" }, query: { webhook: "https://example.com/hook" } },
    body: { prompt, seed: 7 },
  });
  if (error) {
    throw new Error(`${response.status}: ${error.message ?? ""}`);
  }
  return data.data;
}

export async function outputs(id: string): Promise<string[]> {
  for (;;) {
    const { data, error } = await api.GET("/api/v3/predictions/{prediction_id}/result", {
      params: { path: { prediction_id: id } },
    });
    if (error) {
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
