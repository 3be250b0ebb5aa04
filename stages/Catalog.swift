import Pipelines

/// Every kind of stage, one line a room.
public let stageCatalog = StageCatalog([
  Simulate.self,
  Ingest.self,
  Clean.self,
  FeatureEngineer.self,
  Aggregate.self,
  Join.self,
  Union.self,
  RFM.self,
  Fit.self,
  Recall.self,
  Predict.self,
  Evaluate.self,
  Forecast.self,
  Drift.self,
  Segment.self,
  Visualize.self,
  Export.self,
  Report.self,
])
